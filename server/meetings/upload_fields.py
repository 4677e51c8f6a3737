"""What an uploader may say of a recording, and how it is checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from server.channels import ChannelUse
from server.errors import BadRequest
from server.meetings.dates import DATE_NEEDED, NotADate, checked_date
from server.meetings.stated_language import stated_language
from server.visible_text import cleaned, flaw, trimmed

MAX_NAME = 500
MAX_SPEAKERS = 64
MAX_KEY_TERMS, MAX_KEY_TERM = 100, 100
_BETWEEN_TERMS = re.compile(r"[,\r\n]")


@dataclass(frozen=True, slots=True)
class RecordingDetails:
    """Checked details of a recording."""

    name: str
    held_on: str | None
    n_speakers: int | None
    language: str
    key_terms: tuple[str, ...] = ()
    channels: ChannelUse | None = None
    """None where it is not stated."""


def checked_details(fields: dict[str, str], file_name: str | None) -> RecordingDetails:
    """The details that ``fields`` (name, date, n_speakers, language, key_terms, channels; each optional) state.

    Without a name the file's own, without that ``Untitled meeting``.

    Raises:
        BadRequest: naming the field, for anything that does not parse.
    """
    name = checked_name("name", fields.get("name", ""), MAX_NAME) or _plain_name(file_name) or "Untitled meeting"
    return RecordingDetails(
        name,
        _moment(fields.get("date", "").strip()),
        _speaker_count(fields.get("n_speakers", "")),
        stated_language(fields.get("language", "")),
        checked_key_terms(fields.get("key_terms", "")),
        _channel_use(fields.get("channels", "")),
    )


def checked_name(field: str, value: str, longest: int) -> str:
    """The name without spaces around it, empty where none is given.

    Raises:
        BadRequest: naming ``field``, for more than ``longest`` characters, or a name that cannot be read.
    """
    name = value.strip()
    if len(name) > longest:
        raise BadRequest(field, f"{len(name)} characters; at most {longest}")
    if reason := flaw(name):
        raise BadRequest(field, reason)
    return trimmed(name)


def checked_key_terms(text: str) -> tuple[str, ...]:
    """The terms of a text, which commas or line breaks separate; each once, however it is capitalised.

    Raises:
        BadRequest: for more than 100 terms, one of more than 100 characters, or one that cannot be read.
    """
    terms = distinct(filter(None, (part.strip() for part in _BETWEEN_TERMS.split(text))))
    if len(terms) > MAX_KEY_TERMS:
        raise BadRequest("key_terms", f"{len(terms)} terms; at most {MAX_KEY_TERMS}, separated by commas")
    for term in terms:
        if len(term) > MAX_KEY_TERM:
            raise BadRequest("key_terms", f"at most {MAX_KEY_TERM} characters a term, between commas")
        if reason := flaw(term):
            raise BadRequest("key_terms", reason)
    return terms


def distinct(terms: Iterable[str]) -> tuple[str, ...]:
    """The terms in their order, of those that differ by capitals alone the first."""
    found: dict[str, str] = {}
    for term in terms:
        found.setdefault(term.casefold(), term)
    return tuple(found.values())


def _plain_name(file_name: str | None) -> str:
    return cleaned((file_name or "").replace("\\", "/").rsplit("/", 1)[-1])[:MAX_NAME]


def _moment(text: str) -> str | None:
    try:
        return checked_date(text) if text else None
    except NotADate:
        raise BadRequest("date", DATE_NEEDED) from None


def _channel_use(text: str) -> ChannelUse | None:
    stated = text.strip().lower()
    try:
        return ChannelUse(stated) if stated else None
    except ValueError:
        raise BadRequest("channels", f"{ChannelUse.MIXED} or {ChannelUse.SEPARATE}, or absent") from None


def _speaker_count(text: str) -> int | None:
    digits = text.strip()
    if not digits:
        return None
    # More digits than a 32-bit number has are none of ours, whatever they come to.
    count = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else -1
    if not 0 <= count <= MAX_SPEAKERS:
        raise BadRequest("n_speakers", f"a whole number from 1 to {MAX_SPEAKERS}, or absent")
    return count or None

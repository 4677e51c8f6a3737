"""What an uploader may say of a recording, and how it is checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from server.errors import BadRequest

LONGEST_NAME = 500
MOST_SPEAKERS = 64
MOST_KEY_TERMS, LONGEST_KEY_TERM = 100, 100
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_BETWEEN_TERMS = re.compile(r"[,\r\n]")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class RecordingDetails:
    """Checked details of a recording."""

    name: str
    held_on: str | None
    n_speakers: int | None
    language: str
    key_terms: tuple[str, ...] = ()


def checked_details(fields: dict[str, str], file_name: str | None) -> RecordingDetails:
    """The details that ``fields`` (name, date, n_speakers, language, key_terms; each optional) state.

    Without a name the file's own, without that ``Untitled meeting``.

    Raises:
        BadRequest: naming the field, for anything that does not parse.
    """
    name = fields.get("name", "").strip() or _plain_name(file_name) or "Untitled meeting"
    if len(name) > LONGEST_NAME or CONTROL.search(name):
        raise BadRequest("name", f"at most {LONGEST_NAME} characters and no control characters")
    held_on = fields.get("date", "").strip() or None
    if held_on is not None:
        try:
            datetime.fromisoformat(held_on)
        except ValueError:
            raise BadRequest("date", "an ISO 8601 date such as 2026-11-23 or 2026-11-23T14:00:00Z") from None
    language = fields.get("language", "").strip()
    if language and not _LANGUAGE.fullmatch(language):
        raise BadRequest("language", "a BCP 47 tag such as en or en-GB")
    return RecordingDetails(
        name,
        held_on,
        _speaker_count(fields.get("n_speakers", "")),
        language,
        checked_key_terms(fields.get("key_terms", "")),
    )


def checked_key_terms(text: str) -> tuple[str, ...]:
    """The terms of a text, which commas or line breaks separate; each once, however it is capitalised.

    Raises:
        BadRequest: for more than 100 terms, one of more than 100 characters, or control characters.
    """
    terms = distinct(filter(None, (part.strip() for part in _BETWEEN_TERMS.split(text))))
    if len(terms) > MOST_KEY_TERMS:
        raise BadRequest("key_terms", f"{len(terms)} terms; at most {MOST_KEY_TERMS}, separated by commas")
    for term in terms:
        if len(term) > LONGEST_KEY_TERM or CONTROL.search(term):
            raise BadRequest(
                "key_terms", f"at most {LONGEST_KEY_TERM} characters a term, between commas, and no control characters"
            )
    return terms


def distinct(terms: Iterable[str]) -> tuple[str, ...]:
    """The terms in their order, of those that differ by capitals alone the first."""
    found: dict[str, str] = {}
    for term in terms:
        found.setdefault(term.casefold(), term)
    return tuple(found.values())


def _plain_name(file_name: str | None) -> str:
    return CONTROL.sub("", (file_name or "").replace("\\", "/").rsplit("/", 1)[-1]).strip()[:LONGEST_NAME]


def _speaker_count(text: str) -> int | None:
    text = text.strip()
    if text in ("", "0"):
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= MOST_SPEAKERS:
        raise BadRequest("n_speakers", f"a whole number from 1 to {MOST_SPEAKERS}, or absent")
    return int(text)

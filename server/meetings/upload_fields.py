"""Validation of the details that an uploader states about a recording."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from server.channels import ChannelUse
from server.consent import Consent, parse_consents
from server.conversation import RedactionKind, parse_redaction_kinds
from server.errors import BadRequest
from server.meetings.dates import DATE_NEEDED, NotADate, validate_date
from server.meetings.stated_language import parse_language
from server.visible_text import clean, find_flaw, trim

MAX_NAME = 500
MAX_SPEAKERS = 64
MAX_KEY_TERMS, MAX_KEY_TERM = 100, 100
_TERM_SEPARATORS = re.compile(r"[,\r\n]")


@dataclass(frozen=True, slots=True)
class RecordingDetails:
    """Validated details of a recording."""

    name: str
    held_on: str | None
    n_speakers: int | None
    language: str
    key_terms: tuple[str, ...] = ()
    channels: ChannelUse | None = None
    """None if not stated."""
    consents: tuple[Consent, ...] = ()
    redact: frozenset[RedactionKind] = frozenset()


def validate_details(fields: dict[str, str], file_name: str | None) -> RecordingDetails:
    """Validate the fields name, date, n_speakers, language, key_terms, channels, consent and redact, each
    optional.

    The name defaults to the file's, then to ``Untitled meeting``.

    Raises:
        BadRequest: naming the field, for an invalid value.
    """
    name = validate_name("name", fields.get("name", ""), MAX_NAME) or _base_name(file_name) or "Untitled meeting"
    return RecordingDetails(
        name,
        _parse_date(fields.get("date", "").strip()),
        _parse_speaker_count(fields.get("n_speakers", "")),
        parse_language(fields.get("language", "")),
        validate_key_terms(fields.get("key_terms", "")),
        _parse_channel_use(fields.get("channels", "")),
        parse_consents(fields.get("consent", "")),
        _parse_redaction(fields.get("redact", "")),
    )


def validate_name(field: str, value: str, max_length: int) -> str:
    """Return the trimmed name; empty if none is given.

    Raises:
        BadRequest: naming ``field``, for more than ``max_length`` characters or unreadable text.
    """
    name = value.strip()
    if len(name) > max_length:
        raise BadRequest(field, f"{len(name)} characters; the limit is {max_length}")
    if reason := find_flaw(name):
        raise BadRequest(field, reason)
    return trim(name)


def validate_key_terms(text: str) -> tuple[str, ...]:
    """Split a text into key terms at commas and line breaks, without case-insensitive duplicates.

    Raises:
        BadRequest: for more than 100 terms, a term of more than 100 characters, or unreadable text.
    """
    terms = deduplicate_terms(filter(None, (part.strip() for part in _TERM_SEPARATORS.split(text))))
    if len(terms) > MAX_KEY_TERMS:
        raise BadRequest("key_terms", f"{len(terms)} terms; the limit is {MAX_KEY_TERMS}, separated by commas")
    for term in terms:
        if len(term) > MAX_KEY_TERM:
            raise BadRequest("key_terms", f"a term exceeds {MAX_KEY_TERM} characters; separate terms with commas")
        if reason := find_flaw(term):
            raise BadRequest("key_terms", reason)
    return terms


def deduplicate_terms(terms: Iterable[str]) -> tuple[str, ...]:
    """Remove case-insensitive duplicates; keep order and the first spelling."""
    found: dict[str, str] = {}
    for term in terms:
        found.setdefault(term.casefold(), term)
    return tuple(found.values())


def _base_name(file_name: str | None) -> str:
    return clean((file_name or "").replace("\\", "/").rsplit("/", 1)[-1])[:MAX_NAME]


def _parse_date(text: str) -> str | None:
    try:
        return validate_date(text) if text else None
    except NotADate:
        raise BadRequest("date", DATE_NEEDED) from None


def _parse_channel_use(text: str) -> ChannelUse | None:
    stated = text.strip().lower()
    try:
        return ChannelUse(stated) if stated else None
    except ValueError:
        raise BadRequest("channels", f"must be {ChannelUse.MIXED} or {ChannelUse.SEPARATE}") from None


def _parse_redaction(text: str) -> frozenset[RedactionKind]:
    try:
        return parse_redaction_kinds(text)
    except ValueError as error:
        raise BadRequest("redact", str(error)) from None


def _parse_speaker_count(text: str) -> int | None:
    digits = text.strip()
    if not digits:
        return None
    # A 32-bit number has at most ten digits.
    count = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else -1
    if not 0 <= count <= MAX_SPEAKERS:
        raise BadRequest("n_speakers", f"must be a whole number from 1 to {MAX_SPEAKERS}")
    return count or None

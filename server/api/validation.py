"""Validation of request fields shared by several services."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar
from uuid import UUID

from server.errors import BadRequest
from server.insights import MIN_PERIOD_S, max_period_s
from server.meetings import MAX_SENTENCE_TEXT, validate_name

MAX_ALIAS = 200
DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 50, 1000
_HASH = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# In place of a zone's plus: the result of an unescaped `+` in a form-encoded query.
_LOST_PLUS = re.compile(r" (?=\d{2}:?\d{2}$)")
MAX_TIME = 40
_CHOSEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def validate_file_hash(value: str) -> str:
    """Return the hash in lower case. Raises BadRequest naming ``file-hash`` unless it is 64 hexadecimal digits."""
    if not value:
        raise BadRequest("file-hash", "missing; pass the SHA-256 that the upload returned")
    if not _HASH.fullmatch(value.lower()):
        raise BadRequest("file-hash", "not a SHA-256; must be 64 hexadecimal digits")
    return value.lower()


def parse_uuid(name: str, value: str) -> UUID:
    """Parse a UUID in its canonical form. Raises BadRequest naming the field ``name``."""
    if not _UUID.fullmatch(value):
        raise BadRequest(name, "not a UUID; use an id as the server returned it")
    return UUID(value)


def require_chosen_id(name: str, value: str) -> None:
    """Check an id that the caller chose. Raises BadRequest naming the field ``name``."""
    if not _CHOSEN_ID.fullmatch(value):
        raise BadRequest(name, "must be 1 to 64 letters, digits, '.', '_' or '-'")


def validate_alias(value: str) -> str:
    """Return the trimmed name. Raises BadRequest unless it has 1 to 200 readable characters."""
    alias = value.strip()
    if not alias or len(alias) > MAX_ALIAS:
        raise BadRequest("alias", f"{len(alias)} characters; must be 1 to {MAX_ALIAS}")
    return validate_name("alias", alias, MAX_ALIAS)


def validate_sentence_text(value: str) -> str:
    """Return the text on one line, its spaces single. Raises BadRequest unless it has 1 to 4000 readable characters."""
    text = " ".join(value.split())
    if not text:
        raise BadRequest("text", "missing; write what was said, or set remove if nobody said it")
    return validate_name("text", text, MAX_SENTENCE_TEXT)


def validate_span(start_ms: int, end_ms: int) -> tuple[int, int]:
    """Return the span, milliseconds. Raises BadRequest unless 0 <= start < end."""
    if start_ms < 0:
        raise BadRequest("start", f"{start_ms}; must be 0 or more milliseconds from the start of the meeting")
    if end_ms <= start_ms:
        raise BadRequest("end", f"{end_ms}; must be greater than start")
    return start_ms, end_ms


def validate_period(period_s: int, duration_ms: int) -> int:
    """Return the period, seconds.

    Raises BadRequest unless it is 10 to the larger of 300 and the duration in seconds.
    """
    limit_s = max_period_s(duration_ms)
    if not MIN_PERIOD_S <= period_s <= limit_s:
        raise BadRequest("period_seconds", f"{period_s}; must be {MIN_PERIOD_S} to {limit_s} for this meeting")
    return period_s


def validate_page_size(value: int, most: int = MAX_PAGE_SIZE) -> int:
    """Return the page size, default 50. Raises BadRequest unless it is 0 to ``most``."""
    if not 0 <= value <= most:
        raise BadRequest("page_size", f"{value}; must be 1 to {most}")
    return value or DEFAULT_PAGE_SIZE


def format_page_token(created_at: datetime, id_: UUID) -> str:
    """Encode the position of the next page; opaque to callers."""
    return base64.urlsafe_b64encode(f"{created_at.isoformat()} {id_}".encode()).decode()


def parse_moment(name: str, text: str) -> datetime | None:
    """Parse a date, or date and time, in UTC unless it has a zone; None if empty. Raises BadRequest."""
    if not text:
        return None
    try:
        if len(text) > MAX_TIME:
            raise ValueError("too long")
        moment = datetime.fromisoformat(_LOST_PLUS.sub("+", text) if "T" in text else text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(name, "must be an ISO 8601 date or time such as 2026-11-23 or 2026-11-23T14:00:00Z") from None


class Listed(Protocol):
    """A row of a list, newest first."""

    @property
    def id(self) -> UUID: ...

    @property
    def created_at(self) -> datetime: ...


Row = TypeVar("Row", bound=Listed)


def page_of(found: Sequence[Row], size: int) -> tuple[Sequence[Row], str]:
    """Return a page and the token of the next one, empty after the last.

    Args:
        found: at most ``size`` + 1 rows: one more than requested tells whether there is another page.
    """
    page = found[:size]
    return page, format_page_token(page[-1].created_at, page[-1].id) if len(found) > size else ""


def parse_page_token(value: str) -> tuple[datetime, UUID] | None:
    """Decode a token of ``format_page_token``; None for an empty one. Raises BadRequest."""
    if not value:
        return None
    try:
        created_at, id_ = base64.b64decode(value.encode(), altchars=b"-_", validate=True).decode().rsplit(" ", 1)
        moment = datetime.fromisoformat(created_at)
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return moment.astimezone(UTC), UUID(id_)
    except (ValueError, OverflowError):
        raise BadRequest(
            "page_token", "invalid; pass the next_page_token of a page, or omit it for the first page"
        ) from None

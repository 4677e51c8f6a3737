"""Lists of meetings: what a request selects, tokens of pages, and meetings as lists show them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from meetra.v1 import meetings_pb2 as pb

from server.api.validation import page_of, parse_moment, parse_page_token
from server.errors import BadRequest
from server.lifecycle import MeetingStatus
from server.moments import utc_text
from server.storage import SORTS, ListedMeeting, MeetingFilter, MeetingOrder, SortKey

MAX_TEXT, MAX_WORDS = 200, 20
# Of the names that a list shows of one meeting, characters together.
MAX_PEOPLE_TEXT = 500
STATUSES = tuple(map(str, MeetingStatus))
NEWEST_FIRST = MeetingOrder()
BAD_TOKEN = "invalid; pass the next_page_token of a page of the same sort, or omit it for the first page"  # noqa: S105


def parse_filter(request: pb.ListMeetingsRequest) -> MeetingFilter:
    """Return which meetings a request selects. Raises BadRequest."""
    words = tuple(dict.fromkeys(_text("search", request.search).split()))
    if len(words) > MAX_WORDS:
        raise BadRequest("search", f"{len(words)} words; must be {MAX_WORDS} at most")
    statuses = tuple(filter(None, (status.strip() for status in request.status.split(","))))
    if len(statuses) > len(STATUSES) or not set(statuses) <= set(STATUSES):
        raise BadRequest("status", f"must be some of {', '.join(STATUSES)}, separated by commas")
    return MeetingFilter(
        words,
        _text("person", request.person),
        statuses,
        parse_moment("from", request.from_time),
        parse_moment("to", request.to_time),
    )


def _text(name: str, value: str) -> str:
    """Return the text without surrounding spaces.

    Raises BadRequest for one that is too long, or that has a NUL: the database takes none.
    """
    text = value.strip()
    if len(text) > MAX_TEXT:
        raise BadRequest(name, f"{len(text)} characters; must be {MAX_TEXT} at most")
    if "\0" in text:
        raise BadRequest(name, "has a NUL character; leave it out")
    return text


def parse_order(value: str) -> MeetingOrder:
    """Return how a list is sorted; empty: the newest first. Raises BadRequest."""
    if not value:
        return NEWEST_FIRST
    order = MeetingOrder(value.removeprefix("-"), value.startswith("-"))
    if order.by not in SORTS:
        raise BadRequest("sort", f"must be one of {', '.join(SORTS)}, or one of them after a minus")
    return order


def parse_position(value: str, order: MeetingOrder) -> tuple[SortKey, UUID] | None:
    """Decode a token of ``format_position`` for the same order; None for an empty one. Raises BadRequest."""
    if not value or order == NEWEST_FIRST:
        return parse_page_token(value)
    try:
        sort, key, id_ = json.loads(base64.b64decode(value.encode(), altchars=b"-_", validate=True))
        if sort != _sort(order):
            raise ValueError("of another order")
        return _parse_key(order, key), UUID(id_)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise BadRequest("page_token", BAD_TOKEN) from None


def page_of_meetings(
    found: Sequence[ListedMeeting], size: int, order: MeetingOrder
) -> tuple[Sequence[ListedMeeting], str]:
    """Return a page and the token of the next one, empty after the last.

    Args:
        found: at most ``size`` + 1 meetings: one more than requested tells whether there is another page.
    """
    if order == NEWEST_FIRST:
        return page_of(found, size)
    page = found[:size]
    if len(found) <= size:
        return page, ""
    last = page[-1]
    key = last.sort_key.isoformat() if isinstance(last.sort_key, datetime) else last.sort_key
    position = json.dumps([_sort(order), key, str(last.id)], ensure_ascii=False)
    return page, base64.urlsafe_b64encode(position.encode()).decode()


def _sort(order: MeetingOrder) -> str:
    return f"-{order.by}" if order.descending else order.by


def _parse_key(order: MeetingOrder, key: object) -> SortKey:
    """Return the key of a token in the type of its order. Raises ValueError, TypeError, OverflowError."""
    if order.by == "duration":
        if type(key) is not int or not 0 <= key < 2**31:
            raise ValueError("not a duration")
        return key
    if not isinstance(key, str):
        raise TypeError("not a text")
    if order.by in ("created_at", "date"):
        moment = datetime.fromisoformat(key)
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return moment.astimezone(UTC)
    # The database takes neither; encoding raises UnicodeEncodeError for halves of surrogate pairs.
    if b"\0" in key.encode():
        raise ValueError("a text with a NUL")
    return key


def summary_message(meeting: ListedMeeting) -> pb.MeetingSummary:
    """Return a meeting as lists show it."""
    return pb.MeetingSummary(
        file_hash=meeting.file_hash,
        name=meeting.name,
        date=meeting.held_on or "",
        status=meeting.status,
        duration_ms=meeting.duration_ms or 0,
        speakers=meeting.speakers,
        created_at=utc_text(meeting.created_at),
        people=_first_people(meeting.people),
        progress_percent=meeting.progress_percent,
        stage=meeting.stage,
        message=meeting.message,
        language=meeting.language or None,
        session_id=str(meeting.id) if meeting.is_live else None,
        delete_at=utc_text(meeting.delete_at),
    )


def _first_people(names: Sequence[str]) -> list[str]:
    """Return the first names, as many as have ``MAX_PEOPLE_TEXT`` characters together; at least one."""
    shown: list[str] = []
    characters = 0
    for name in names:
        characters += len(name)
        if shown and characters > MAX_PEOPLE_TEXT:
            break
        shown.append(name)
    return shown

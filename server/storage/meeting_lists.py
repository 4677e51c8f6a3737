"""Lists of an organization's meetings: filtered, sorted, by page."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from server.storage.meetings import stated_or_spoken
from server.storage.pool import Connection

# How many names of speakers a list shows of each meeting.
MAX_PEOPLE = 20
# What a list can be sorted by: the expression, and its type.
_SORT_KEYS = {
    "created_at": ("m.created_at", "timestamptz"),
    "date": ("m.held_at", "timestamptz"),
    "name": ("folded(m.name)", "text"),
    "duration": ("coalesce(m.duration_ms, 0)", "integer"),
    "status": ("m.status", "text"),
}
SORTS = tuple(_SORT_KEYS)
SortKey = datetime | str | int
_IN_ALIAS = (
    "EXISTS (SELECT FROM speakers s WHERE s.meeting_id = m.id AND s.active AND strpos(folded(s.alias), {0}) > 0)"
)


# Of `meetings m`: what ``to_listed`` needs.
LISTED_COLUMNS = f"""
       m.id, m.file_hash, m.name, m.held_on, m.status, m.duration_ms, m.created_at, m.stage,
       m.progress_percent, m.message, m.language, m.spoken_language, m.delete_at,
       (SELECT count(*) FROM speakers s WHERE s.meeting_id = m.id AND s.active)::integer AS speakers,
       ARRAY(SELECT s.alias FROM speakers s WHERE s.meeting_id = m.id AND s.active
             ORDER BY s.label LIMIT {MAX_PEOPLE}) AS people,
       EXISTS (SELECT FROM live_meetings l WHERE l.meeting_id = m.id) AS is_live
"""  # noqa: S608 - our number


@dataclass(frozen=True, slots=True)
class ListedMeeting:
    """A meeting in a list."""

    id: UUID
    file_hash: str
    name: str
    held_on: str | None
    status: str
    duration_ms: int | None
    speakers: int
    created_at: datetime
    stage: str = ""
    progress_percent: int = 0
    message: str = ""
    language: str = ""
    """The stated language, else the detected one; empty while unknown."""
    people: tuple[str, ...] = ()
    """Names of the first ``MAX_PEOPLE`` speakers."""
    is_live: bool = False
    delete_at: datetime | None = None
    """When a deletion that waits is carried out; None if none does."""
    sort_key: SortKey = ""
    """Of the order in which it was listed."""


@dataclass(frozen=True, slots=True)
class MeetingFilter:
    """Which meetings are listed: those that meet all conditions."""

    words: tuple[str, ...] = ()
    """Each is in the name, or in the name of a speaker."""
    person: str = ""
    """In the name of a speaker."""
    statuses: tuple[str, ...] = ()
    """None: any."""
    held_from: datetime | None = None
    held_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class MeetingOrder:
    """How meetings are sorted."""

    by: str = "created_at"
    """Of ``SORTS``."""
    descending: bool = True


async def list_page(
    connection: Connection,
    organization_id: UUID,
    size: int,
    after: tuple[SortKey, UUID] | None = None,
    wanted: MeetingFilter | None = None,
    order: MeetingOrder | None = None,
) -> list[ListedMeeting]:
    """Return up to ``size`` meetings of an organization, those of the same key in the order of their ids.

    Args:
        after: ``sort_key`` and id of the last meeting of the page before; None: the first page.
        order: None: the newest first.
    """
    order = order or MeetingOrder()
    key, kind = _SORT_KEYS[order.by]
    direction, beyond = ("DESC", "<") if order.descending else ("ASC", ">")
    values: list[object] = [organization_id, size]
    conditions = _conditions(wanted or MeetingFilter(), values)
    if after is not None:
        values += after
        conditions.append(f"({key}, m.id) {beyond} (${len(values) - 1}::{kind}, ${len(values)}::uuid)")
    rows = await connection.fetch(
        f"SELECT {LISTED_COLUMNS}, {key} AS sort_key FROM meetings m WHERE m.organization_id = $1"  # noqa: S608 - ours
        + "".join(f" AND {condition}" for condition in conditions)
        + f" ORDER BY {key} {direction}, m.id {direction} LIMIT $2",
        *values,
    )
    return [to_listed(row) for row in rows]


def _conditions(wanted: MeetingFilter, values: list[object]) -> list[str]:
    """Return the conditions of a filter, whose values are appended."""

    def place(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    conditions = []
    for word in wanted.words:
        # Of its own, so that it is folded once and not for each row.
        text = f"(SELECT folded({place(word)}))"
        conditions.append(f"(strpos(folded(m.name), {text}) > 0 OR {_IN_ALIAS.format(text)})")
    if wanted.person:
        conditions.append(_IN_ALIAS.format(f"(SELECT folded({place(wanted.person)}))"))
    if wanted.statuses:
        conditions.append(f"m.status = ANY({place(list(wanted.statuses))}::text[])")
    if wanted.held_from is not None:
        conditions.append(f"m.held_at >= {place(wanted.held_from)}")
    if wanted.held_before is not None:
        conditions.append(f"m.held_at < {place(wanted.held_before)}")
    return conditions


def to_listed(row: Any) -> ListedMeeting:
    """Return the meeting of a row that has ``LISTED_COLUMNS``, and maybe others."""
    columns = {field.name: row[field.name] for field in fields(ListedMeeting) if field.name in row}
    language = stated_or_spoken(row["language"], row["spoken_language"])
    return ListedMeeting(**{**columns, "language": language, "people": tuple(row["people"])})

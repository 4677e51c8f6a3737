# ruff: noqa: S608 - statements are put together from constants here; values are parameters
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
# What a list can be sorted by: the expression, and its type. Each is indexed, after the status.
_SORT_KEYS = {
    "created_at": ("m.created_at", "timestamptz"),
    "date": ("m.held_at", "timestamptz"),
    "name": ("m.name_key", "text"),
    "duration": ("coalesce(m.duration_ms, 0)", "integer"),
    "status": ("m.status", "text"),
}
SORTS = tuple(_SORT_KEYS)
SortKey = datetime | str | int
_STATUSES = ("receiving", "queued", "processing", "ready", "failed")
# Of the meetings of a list, at most so many are looked at for a name before the index of names is.
_MEETINGS_LOOKED_AT = 500


# Of `meetings m`: what ``to_listed`` needs.
LISTED_COLUMNS = f"""
       m.id, m.file_hash, m.name, m.held_on, m.status, m.duration_ms, m.created_at, m.stage,
       m.progress_percent, m.message, m.language, m.spoken_language, m.delete_at,
       (SELECT count(*) FROM speakers s WHERE s.meeting_id = m.id AND s.active)::integer AS speakers,
       ARRAY(SELECT s.alias FROM speakers s WHERE s.meeting_id = m.id AND s.active
             ORDER BY s.label LIMIT {MAX_PEOPLE}) AS people,
       (SELECT true FROM live_meetings l WHERE l.meeting_id = m.id) IS NOT NULL AS is_live
"""


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
    statement = _Statement(organization_id, size, after, wanted or MeetingFilter(), order or MeetingOrder())
    if not statement.statuses:
        return []
    few, most = _round_up(size), max(_MEETINGS_LOOKED_AT, 4 * _round_up(size))
    rows = await connection.fetch(*statement.in_order(few, statement.names if statement.has_names else ""))
    if statement.has_names and len(rows) < size:
        # What many meetings have stands in the first ones already; what few have is found by the index of names.
        if len(rows) * most >= size * few:
            rows = await connection.fetch(*statement.in_order(most, statement.names))
        if len(rows) < size:
            rows = await connection.fetch(*statement.by_names())
    return [to_listed(row) for row in rows]


def _round_up(size: int) -> int:
    """Return a size of which few differ: the planner is told it, and plans once for each."""
    return max(64, 1 << (size - 1).bit_length())


class _Statement:
    """The statement of a page, in the two ways to find it, each with its values."""

    def __init__(
        self,
        organization_id: UUID,
        size: int,
        after: tuple[SortKey, UUID] | None,
        wanted: MeetingFilter,
        order: MeetingOrder,
    ) -> None:
        self._values: list[object] = [organization_id, size]
        # Ours, not as parameters: the planner then knows how many meetings have each, also that none has.
        self.statuses = [status for status in _STATUSES if not wanted.statuses or status in wanted.statuses]
        self._key, kind = _SORT_KEYS[order.by]
        self._direction, beyond = ("DESC", "<") if order.descending else ("ASC", ">")
        self._after: dict[str, str] = {}
        if after is not None and order.by == "status":
            last = str(after[0])
            self.statuses = [s for s in self.statuses if s == last or (s < last) == order.descending]
            self._after[last] = f" AND m.id {beyond} {self._place(after[1])}::uuid"
        elif after is not None:
            key, id_ = map(self._place, after)
            condition = f" AND ({self._key}, m.id) {beyond} ({key}::{kind}, {id_}::uuid)"
            self._after = dict.fromkeys(self.statuses, condition)
        conditions = []
        if wanted.held_from is not None:
            conditions.append(f"m.held_at >= {self._place(wanted.held_from)}")
        if wanted.held_before is not None:
            conditions.append(f"m.held_at < {self._place(wanted.held_before)}")
        self._conditions = "".join(f" AND {condition}" for condition in conditions)
        self.has_names = bool(wanted.words or wanted.person)
        if self.has_names:
            self._words, self._person = self._place(list(wanted.words)), self._place(wanted.person)

    @property
    def names(self) -> str:
        """The condition that meetings ``m`` have the words and the person; looked up row by row."""
        has_words = (
            "SELECT bool_and(strpos(n.name || E'\\n' || n.people, folded(word)) > 0)"
            f" FROM unnest({self._words}::text[]) word"
        )
        return (
            f" WHERE (SELECT strpos(n.people, folded({self._person})) > 0 AND ({has_words}) IS NOT FALSE"
            " FROM meeting_names n WHERE n.organization_id = $1 AND n.meeting_id = m.id)"
        )

    def in_order(self, most: int, condition: str) -> tuple[Any, ...]:
        """The first ``most`` meetings of the order, and of these the first that fulfil a condition of names.

        Each status is read in the order of its index, and no further than that.
        """
        first = f"ORDER BY {self._key} {self._direction}, m.id {self._direction} LIMIT {most}"
        of_statuses = " UNION ALL ".join(
            f"(SELECT m.*, {self._key} AS sort_key FROM meetings m WHERE m.organization_id = $1"
            f" AND {self._is_of(status)}{self._conditions} {first})"
            for status in self.statuses
        )
        return self._shown(
            f"(SELECT * FROM ({of_statuses}) u ORDER BY sort_key {self._direction}, id {self._direction}"
            f" LIMIT {most}) m{condition}"
        )

    def by_names(self) -> tuple[Any, ...]:
        """All meetings that have the names, by the index of names."""
        of_statuses = " OR ".join(f"({self._is_of(status)})" for status in self.statuses)
        return self._shown(
            f"(SELECT m.*, {self._key} AS sort_key FROM meetings_with_names({self._words}::text[], {self._person})"
            " AS n (id) JOIN meetings m ON m.organization_id = $1 AND m.id = n.id"
            f" AND ({of_statuses}){self._conditions}) m"
        )

    def _is_of(self, status: str) -> str:
        """The condition that a meeting has this status and comes after the last of the page before."""
        return f"m.status = '{status}'{self._after.get(status, '')}"

    def _shown(self, meetings: str) -> tuple[Any, ...]:
        order = f"m.sort_key {self._direction}, m.id {self._direction}"
        sql = f"SELECT {LISTED_COLUMNS}, m.sort_key FROM {meetings} ORDER BY {order} LIMIT $2"
        return sql, *self._values

    def _place(self, value: object) -> str:
        self._values.append(value)
        return f"${len(self._values)}"


def to_listed(row: Any) -> ListedMeeting:
    """Return the meeting of a row that has ``LISTED_COLUMNS``, and maybe others."""
    columns = {field.name: row[field.name] for field in fields(ListedMeeting) if field.name in row}
    language = stated_or_spoken(row["language"], row["spoken_language"])
    return ListedMeeting(**{**columns, "language": language, "people": tuple(row["people"])})

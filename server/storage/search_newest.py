# ruff: noqa: S608 - statements are put together from constants here; values are parameters
"""The newest meetings that a search looks at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from server.storage.pool import Connection
from server.storage.search_filter import SearchFilter, meeting_conditions

# Meetings in one statement that looks for them. For a larger part of the table PostgreSQL would read all of it.
_FIRST_PAGE, _LEAST_PAGE, _MOST_PAGE = 100, 50, 1000


class IndexedMeeting(NamedTuple):
    """A meeting that is searched."""

    id: UUID
    held_at: datetime
    sentences: int
    """How many it has."""


@dataclass(frozen=True, slots=True)
class NewestMeetings:
    """Indexed meetings, the newest first."""

    meetings: tuple[IndexedMeeting, ...]
    are_all: bool
    """Whether there are no others."""

    @property
    def sentences(self) -> int:
        """How many they have together."""
        return sum(meeting.sentences for meeting in self.meetings)

    @property
    def since(self) -> datetime | None:
        """When the oldest of them was held, if there are older ones."""
        return None if self.are_all or not self.meetings else self.meetings[-1].held_at

    @property
    def ids(self) -> list[UUID]:
        """Their ids."""
        return [meeting.id for meeting in self.meetings]


class MeetingsByAge:
    """The indexed meetings that a search wants, the newest first, read as far back as they are asked for."""

    def __init__(self, connection: Connection, organization_id: UUID, wanted: SearchFilter) -> None:
        self._connection = connection
        self._organization_id = organization_id
        self._wanted = wanted
        self._found: list[IndexedMeeting] = []
        self._sentences = 0
        self._last: tuple[datetime, UUID] | None = None
        self._are_all = False

    async def newest(self, most: int) -> NewestMeetings:
        """Return the newest ones up to ``most`` sentences together, or the newest one."""
        while self._sentences <= most and not self._are_all:
            await self._read(self._page(most))
        reach = 0
        for place, meeting in enumerate(self._found):
            reach += meeting.sentences
            if reach > most and place > 0:
                return NewestMeetings(tuple(self._found[:place]), are_all=False)
        return NewestMeetings(tuple(self._found), self._are_all)

    def _page(self, most: int) -> int:
        """Return how many meetings to read next: about as many as are wanted, by those that were read."""
        if not self._sentences:
            return _FIRST_PAGE if self._last is None else _MOST_PAGE
        missing = (most - self._sentences) * len(self._found) / self._sentences
        return min(max(_LEAST_PAGE, round(1.1 * missing)), _MOST_PAGE)

    async def _read(self, size: int) -> None:
        values: list[Any] = [self._organization_id]
        conditions = meeting_conditions(self._wanted, values)
        if self._last is not None:
            values += self._last
            conditions += f" AND (m.held_at, m.id) < (${len(values) - 1}, ${len(values)})"
        rows = await self._connection.fetch(
            "SELECT m.id, m.held_at, i.sentences FROM (SELECT m.id, m.held_at FROM meetings m"
            f" WHERE m.organization_id = $1 AND m.delete_at IS NULL{conditions}"
            f" ORDER BY m.held_at DESC, m.id DESC LIMIT {size}) m"
            # A lateral query with an offset is looked up row by row.
            " LEFT JOIN LATERAL (SELECT i.sentences FROM search_meetings i"
            " WHERE i.organization_id = $1 AND i.meeting_id = m.id OFFSET 0) i ON true"
            " ORDER BY m.held_at DESC, m.id DESC",
            *values,
        )
        self._are_all = len(rows) < size
        if rows:
            self._last = rows[-1]["held_at"], rows[-1]["id"]
        indexed = [IndexedMeeting(*row) for row in rows if row["sentences"] is not None]
        self._found += indexed
        self._sentences += sum(meeting.sentences for meeting in indexed)

"""Live meetings in a real database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from server.storage import live
from server.storage.live import LiveRow, NewEvent
from server.storage.pool import Connection, Database
from tests.server.storage.rows import make_user, new_live_meeting, take

T = TypeVar("T")


async def opened(owner: Database, database: Database, organization: str = "Org") -> LiveRow:
    """A new live meeting of an organization, held by the caller."""
    row = new_live_meeting(await make_user(owner, organization))
    terms = ("Ada", "Kubernetes")
    await run(
        database,
        row,
        lambda c: live.create(c, row, name="Weekly", held_on=None, n_speakers=2, language="en", key_terms=terms),
    )
    return await taken_up(database, row)


async def run(database: Database, row: LiveRow, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Run ``work`` in a transaction that sees the meeting's organization."""
    return await database.run(work, organization_id=row.organization_id)


async def taken_up(database: Database, row: LiveRow) -> LiveRow:
    """The meeting, held by the caller; whoever held it before has lost it."""
    return await run(database, row, lambda c: take(c, row.organization_id, row.meeting_id))


async def stored_after(database: Database, row: LiveRow, event_seq: int = 0, limit: int = 100) -> list[bytes]:
    """The payloads of the next events."""
    return await run(database, row, lambda c: live.events_after(c, row.meeting_id, event_seq, limit))


async def store(database: Database, row: LiveRow, *events: tuple[int, int | None]) -> None:
    """Stores events by number and segment; each says its number."""
    new = [NewEvent(number, segment, str(number).encode()) for number, segment in events]
    await run(database, row, lambda c: live.append_events(c, row.meeting_id, row.fence, new))

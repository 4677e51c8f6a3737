"""Live meetings in a real database."""

from __future__ import annotations

from uuid import UUID, uuid4

from server.live.session_registry import live_file_hash
from server.storage import live, users
from server.storage.live import LiveRow, NewEvent
from server.storage.pool import Database


async def opened(database: Database, organization: str = "Org") -> LiveRow:
    """A new live meeting of an organization, held by the caller."""
    user_id = await database.run(lambda c: users.ensure_user(c, organization, f"{organization}@example.org", "hash"))
    user = await database.run(lambda c: users.find(c, user_id))
    assert user is not None
    id_ = uuid4()
    row = LiveRow(
        meeting_id=id_,
        organization_id=user.organization_id,
        user_id=user_id,
        file_hash=live_file_hash(id_),
        status="receiving",
        config={"name": "Weekly"},
        fence=0,
        owner=0,
        finished=False,
        concluded=False,
        ignored_tracks=(),
    )
    terms = ("Ada", "Kubernetes")
    await database.run(
        lambda c: live.create(c, row, name="Weekly", held_on=None, n_speakers=2, language="en", key_terms=terms)
    )
    return await taken_up(database, id_)


async def taken_up(database: Database, meeting_id: UUID) -> LiveRow:
    """The meeting, held by the caller; whoever held it before has lost it."""
    return await database.run(lambda c: live.acquire(c, meeting_id))


async def stored_after(database: Database, meeting_id: UUID, event_seq: int = 0, limit: int = 100) -> list[bytes]:
    """The payloads of the next events."""
    return await database.read(lambda c: live.events_after(c, meeting_id, event_seq, limit))


async def store(database: Database, row: LiveRow, *events: tuple[int, int | None]) -> None:
    """Stores events by number and segment; each says its number."""
    new = [NewEvent(number, segment, str(number).encode()) for number, segment in events]
    await database.run(lambda c: live.append_events(c, row.meeting_id, row.fence, new))

"""Live meetings on a real database: one holder, events kept once, one end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from server.storage import jobs, live, meetings
from server.storage.live import LiveRow, MeetingLost
from server.storage.pool import Database
from tests.server.storage.live_rows import opened, run, store, stored_after, taken_up

if TYPE_CHECKING:
    from server.storage.pool import Connection


async def found(database: Database, row: LiveRow) -> LiveRow:
    again = await run(database, row, lambda c: live.find(c, row.organization_id, row.meeting_id))
    assert again is not None
    return again


async def waiting(database: Database, grace_s: float) -> list[UUID]:
    return [meeting_id for _, meeting_id in await database.run(lambda c: live.find_unattended(c, grace_s))]


async def finish(database: Database, row: LiveRow, lease_s: float | None = 30.0) -> jobs.Job | None:
    return await run(database, row, lambda c: live.finish(c, row, 123, lease_s))


async def status(database: Database, row: LiveRow) -> str:
    return (await found(database, row)).status


async def test_a_meeting_is_found_as_it_was_filed_and_filing_is_safe_to_repeat(
    owner: Database, database: Database
) -> None:
    row = await opened(owner, database)
    await run(database, row, lambda c: live.create(c, row, name="Other", held_on=None, n_speakers=None, language=""))
    assert await found(database, row) == row == replace(row, fence=1, status="receiving", config={"name": "Weekly"})
    state = await run(database, row, lambda c: meetings.find_state(c, row.organization_id, row.file_hash))
    assert state is not None
    assert state.status == "receiving"
    assert await run(database, row, lambda c: live.find_recorded(c, row.meeting_id)) == ({"name": "Weekly"}, ())


async def test_an_organization_finds_its_own_meetings_alone(owner: Database, database: Database) -> None:
    ours, theirs = await opened(owner, database), await opened(owner, database, "Others")
    assert ours.organization_id != theirs.organization_id
    assert await run(database, ours, lambda c: live.find(c, ours.organization_id, theirs.meeting_id)) is None
    assert await run(database, theirs, lambda c: live.find(c, theirs.organization_id, ours.meeting_id)) is None
    assert await run(database, ours, lambda c: live.find(c, ours.organization_id, uuid4())) is None


async def test_what_is_not_live_was_not_recorded_live(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    assert await run(database, row, lambda c: live.find_recorded(c, uuid4())) is None
    with pytest.raises(MeetingLost):
        await taken_up(database, replace(row, meeting_id=uuid4()))


WRITES: dict[str, Callable[[Connection, LiveRow], Awaitable[Any]]] = {
    "a client connects": lambda c, row: live.new_owner(c, row.meeting_id, row.fence),
    "events": lambda c, row: live.append_events(c, row.meeting_id, row.fence, [live.NewEvent(1, None, b"")]),
    "a copied track": lambda c, row: live.ignore_track(c, row.meeting_id, row.fence, "t0"),
    "the end": lambda c, row: live.finish(c, row, 1, 30.0),
    "the last event": lambda c, row: live.conclude(c, row.meeting_id, row.fence),
}


@pytest.mark.parametrize("what", WRITES)
async def test_whoever_lost_a_meeting_writes_nothing_any_more(owner: Database, database: Database, what: str) -> None:
    before = await opened(owner, database)
    now = await taken_up(database, before)
    assert now.fence == before.fence + 1
    with pytest.raises(MeetingLost):
        await run(database, before, lambda c: WRITES[what](c, before))
    assert await found(database, now) == now
    assert await stored_after(database, now) == []
    await run(database, now, lambda c: WRITES[what](c, now))


@pytest.mark.parametrize("what", WRITES)
async def test_a_deleted_meeting_is_lost(owner: Database, database: Database, what: str) -> None:
    row = await opened(owner, database)
    await store(database, row, (1, None))
    await run(database, row, lambda c: c.execute("DELETE FROM meetings WHERE id = $1", row.meeting_id))
    with pytest.raises(MeetingLost):
        await run(database, row, lambda c: WRITES[what](c, row))
    assert await stored_after(database, row) == []


async def test_of_many_that_take_a_meeting_up_the_last_one_holds_it(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    rows = await asyncio.gather(*(taken_up(database, row) for _ in range(5)))
    assert sorted(one.fence for one in rows) == [2, 3, 4, 5, 6]
    written = await asyncio.gather(*(store(database, one, (1, None)) for one in rows), return_exceptions=True)
    assert [error is None for error in written] == [one.fence == 6 for one in rows]


async def test_each_client_has_a_number_of_its_own(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    numbers = await asyncio.gather(
        *(run(database, row, lambda c: live.new_owner(c, row.meeting_id, row.fence)) for _ in range(4))
    )
    assert sorted(numbers) == [1, 2, 3, 4]
    assert (await found(database, row)).owner == 4


async def test_events_come_back_in_their_order_and_what_is_stored_already_stays(
    owner: Database, database: Database
) -> None:
    row, other = await opened(owner, database), await opened(owner, database)
    await store(database, row, (2, None), (1, 7))
    await store(database, row, (2, 9), (3, None))
    await store(database, other, (1, None))
    assert await stored_after(database, row) == [b"1", b"2", b"3"]
    assert await stored_after(database, row, 1, limit=1) == [b"2"]
    assert await stored_after(database, row, 3) == []
    assert await run(database, row, lambda c: live.last_event_seq(c, row.meeting_id)) == 3
    assert await run(database, row, lambda c: live.last_event_seq(c, uuid4())) == 0


async def test_a_track_is_ignored_once(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    for track in ("t1", "t1", "t0"):
        await run(database, row, partial(live.ignore_track, meeting_id=row.meeting_id, fence=row.fence, track=track))
    assert (await found(database, row)).ignored_tracks == ("t1", "t0")
    assert await run(database, row, lambda c: live.find_recorded(c, row.meeting_id)) == (
        {"name": "Weekly"},
        ("t1", "t0"),
    )


async def test_the_job_of_a_meetings_end_is_given_once_and_to_whoever_ended_it(
    owner: Database, database: Database
) -> None:
    row = await opened(owner, database)
    job = await finish(database, row)
    assert job is not None
    assert (job.meeting_id, job.organization_id, job.file_hash) == (row.meeting_id, row.organization_id, row.file_hash)
    assert (job.name, job.n_speakers, job.language, job.attempt) == ("Weekly", 2, "en", 1)
    await run(database, row, lambda c: jobs.renew(c, job, 30))
    # No worker may take it, and ending it again gives nothing.
    assert await database.run(lambda c: jobs.lease_next(c, 30, 3)) is None
    assert await finish(database, row) is None
    again = await found(database, row)
    assert (again.finished, again.concluded, again.status) == (True, False, "processing")
    size = await run(
        database, row, lambda c: c.fetchval("SELECT size_bytes FROM meetings WHERE id = $1", row.meeting_id)
    )
    assert size == 123


async def test_the_job_of_a_holder_who_died_is_any_workers(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    assert await finish(database, row, lease_s=0) is not None
    job = await database.run(lambda c: jobs.lease_next(c, 30, 3))
    assert job is not None
    assert (job.meeting_id, job.attempt) == (row.meeting_id, 2)
    # Another process takes the meeting up: its end is under way already.
    assert await finish(database, await taken_up(database, row)) is None


async def test_an_end_without_a_lease_is_for_any_worker(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    assert await finish(database, row, lease_s=None) is None
    assert await status(database, row) == "queued"
    job = await database.run(lambda c: jobs.lease_next(c, 30, 3))
    assert job is not None
    assert job.meeting_id == row.meeting_id


async def test_a_meeting_waits_for_somebody_once_its_grace_is_over_or_its_end_is_untold(
    owner: Database, database: Database
) -> None:
    heard, left, over, told = [await opened(owner, database) for _ in range(4)]
    assert await waiting(database, 60) == []
    await owner.run(lambda c: c.execute("UPDATE live_meetings SET heard_at = now() - interval '90 s'"))
    assert set(await waiting(database, 100)) == set()
    await database.run(lambda c: live.record_contact(c, [heard.meeting_id]))
    await run(database, told, lambda c: live.new_owner(c, told.meeting_id, told.fence))
    assert set(await waiting(database, 60)) == {left.meeting_id, over.meeting_id}
    for row in (over, told):
        await finish(database, row)
    assert set(await waiting(database, 1000)) == {over.meeting_id, told.meeting_id}
    await run(database, told, lambda c: live.conclude(c, told.meeting_id, told.fence))
    assert set(await waiting(database, 1000)) == {over.meeting_id}
    assert set(await waiting(database, 60)) == {left.meeting_id, over.meeting_id}


async def test_what_later_events_replaced_is_forgotten_at_the_end_and_nothing_else(
    owner: Database, database: Database
) -> None:
    row, other = await opened(owner, database), await opened(owner, database)
    # Segments 7 and 9 were said again; 3, 6 and 8 are of no segment.
    events: tuple[tuple[int, int | None], ...] = (
        (1, 7),
        (2, 9),
        (3, None),
        (4, 7),
        (5, 8),
        (6, None),
        (7, 9),
        (8, None),
        (9, 7),
    )
    await store(database, row, *events)
    await store(database, other, *events)
    await run(database, row, lambda c: live.conclude(c, row.meeting_id, row.fence))
    assert [int(payload) for payload in await stored_after(database, row)] == [3, 5, 6, 7, 8, 9]
    assert len(await stored_after(database, other)) == 9
    assert (await found(database, row)).concluded
    # Concluding again changes nothing.
    await run(database, row, lambda c: live.conclude(c, row.meeting_id, row.fence))
    assert [int(payload) for payload in await stored_after(database, row)] == [3, 5, 6, 7, 8, 9]

"""Who holds a live meeting, in a real database: one process at a time, until its lease ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest

from server.storage import HeldElsewhere, MeetingLost, WantedBy, live, live_leases, live_reports
from server.storage.live import LiveRow
from server.storage.live_leases import Taken, Taker
from server.storage.live_reports import HolderReport
from server.storage.pool import Database
from tests.server.storage.live_rows import opened, run, store

HERE = Taker("this machine", "this process", 15)
THERE = Taker("this machine", "another process", 15)


async def take(database: Database, row: LiveRow, taker: Taker = THERE) -> Taken:
    return await run(database, row, lambda c: live_leases.acquire(c, row.organization_id, row.meeting_id, taker))


async def release(database: Database, row: LiveRow) -> None:
    await run(database, row, lambda c: live_leases.release(c, row.organization_id, row.meeting_id, row.fence))


async def want(database: Database, row: LiveRow, by: WantedBy = WantedBy.CLIENT) -> None:
    await run(database, row, lambda c: live_leases.want(c, row.organization_id, row.meeting_id, by))


async def let_pass(owner: Database, seconds: int) -> None:
    """As if so much time had passed."""
    await owner.run(
        lambda c: c.execute(
            "UPDATE live_meetings SET lease_until = lease_until - $1 * interval '1 second',"
            " wanted_at = wanted_at - $1 * interval '1 second'",
            seconds,
        )
    )


async def wanted(database: Database, row: LiveRow) -> WantedBy:
    """What the holder learns with its report."""
    reports = [HolderReport(row.meeting_id, row.fence, {})]
    return (await database.run(lambda c: live_reports.report(c, reports, 15)))[row.meeting_id].wanted_by


async def test_a_lease_keeps_others_away_until_it_is_released_or_expires(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    with pytest.raises(HeldElsewhere):
        await take(database, row)
    await release(database, row)
    taken = await take(database, row)
    assert (taken.row.fence, taken.holder_may_live) == (row.fence + 1, False)
    # Who was the holder before releases nothing.
    await release(database, row)
    await let_pass(owner, 14)
    with pytest.raises(HeldElsewhere):
        await take(database, row, HERE)
    await let_pass(owner, 2)
    with pytest.raises(HeldElsewhere):
        await take(database, row, replace(HERE, takes_expired=False))
    late = await take(database, row, HERE)
    assert (late.row.fence, late.holder_may_live) == (row.fence + 2, True)
    # Nothing that the others write counts.
    for lost in (row, taken.row):
        with pytest.raises(MeetingLost):
            await store(database, lost, (1, None))
    await store(database, late.row, (1, None))


async def test_of_many_that_come_at_once_one_is_the_holder(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    await let_pass(owner, 60)
    takers = [replace(THERE, process=str(number)) for number in range(5)]
    found = await asyncio.gather(*(take(database, row, taker) for taker in takers), return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == [*["HeldElsewhere"] * 4, "Taken"]


async def test_a_report_renews_the_lease_of_whoever_holds_the_meeting(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    await let_pass(owner, 60)
    # Nobody came meanwhile: it holds the meeting still.
    assert await wanted(database, row) is WantedBy.NOBODY
    with pytest.raises(HeldElsewhere):
        await take(database, row)
    await let_pass(owner, 60)
    now = (await take(database, row)).row
    with pytest.raises(KeyError):
        await wanted(database, row)
    await run(database, now, lambda c: live.conclude(c, now.meeting_id, now.fence))
    assert not (await take(database, now)).holder_may_live


async def test_a_holder_that_is_known_to_be_dead_is_not_waited_for(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    await release(database, row)
    row = (await take(database, row)).row
    for taker in (replace(HERE, machine="another", dead_fence=row.fence), replace(HERE, dead_fence=row.fence - 1)):
        with pytest.raises(HeldElsewhere):
            await take(database, row, taker)
    dead = replace(HERE, dead_fence=row.fence, takes_expired=False)
    taken = await take(database, row, dead)
    assert (taken.row.fence, taken.holder_may_live) == (row.fence + 1, False)
    # What it let go of halfway it may take up again at once.
    again = await take(database, row, replace(HERE, machine="moved"))
    assert (again.row.fence, again.holder_may_live) == (row.fence + 2, False)


async def test_a_holder_learns_that_its_client_came_to_another_process(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    assert await wanted(database, row) is WantedBy.NOBODY
    await want(database, row)
    assert await wanted(database, row) is WantedBy.CLIENT
    await want(database, row, WantedBy.REPLACING_CLIENT)
    await want(database, row, WantedBy.ITS_CLIENT)
    assert await wanted(database, row) is WantedBy.REPLACING_CLIENT
    await let_pass(owner, 11)
    assert await wanted(database, row) is WantedBy.NOBODY
    await want(database, row)
    assert await wanted(database, row) is WantedBy.CLIENT
    # It lets go: who watches leaves the meeting to the process to which the client came.
    await release(database, row)
    with pytest.raises(HeldElsewhere):
        await take(database, row, replace(THERE, sends=False))
    now = (await take(database, row)).row
    assert await wanted(database, now) is WantedBy.NOBODY
    # A meeting that ends is ended where it is.
    await run(database, now, partial(live.finish, row=now, size_bytes=1, lease_s=None))
    await want(database, now, WantedBy.REPLACING_CLIENT)
    assert await wanted(database, now) is WantedBy.NOBODY


async def test_each_of_the_two_walls_keeps_the_meetings_of_others(owner: Database, database: Database) -> None:
    ours, theirs = await opened(owner, database), await opened(owner, database, "Others")
    foreign = replace(theirs, organization_id=ours.organization_id)
    for role in (owner, database):
        for row in (foreign, replace(ours, meeting_id=uuid4())):
            with pytest.raises(MeetingLost):
                await take(role, row)
            await release(role, row)
            await want(role, row, WantedBy.REPLACING_CLIENT)
    assert await wanted(database, theirs) is WantedBy.NOBODY
    with pytest.raises(HeldElsewhere):
        await take(database, theirs)

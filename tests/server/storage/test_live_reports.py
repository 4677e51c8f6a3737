"""Lists of running live meetings, what holders report, and watchers elsewhere, in a real database."""

from __future__ import annotations

from functools import partial

import pytest

from server.storage import live, live_reports
from server.storage.live import LiveRow
from server.storage.live_reports import HolderReport, RunningMeeting
from server.storage.pool import Database
from tests.server.storage.live_rows import opened, run, taken_up


async def running(database: Database, row: LiveRow, size: int = 10, of: LiveRow | None = None) -> list[RunningMeeting]:
    """What the organization of ``row`` is listed, asking for the organization of ``of``."""
    wanted = (of or row).organization_id
    return await run(database, row, lambda c: live_reports.list_running(c, wanted, size, None))


async def reported(database: Database, *rows: LiveRow) -> set[object]:
    """The meetings of which a report was taken; it is the same for all."""
    reports = [HolderReport(row.meeting_id, row.fence, {"connected": True}) for row in rows]
    return set(await database.run(lambda c: live_reports.report(c, reports, 15)))


async def test_running_meetings_are_listed_newest_first_and_in_pages(owner: Database, database: Database) -> None:
    rows = [await opened(owner, database) for _ in range(3)]
    other = await opened(owner, database, "Others")
    newest_first = [row.meeting_id for row in reversed(rows)]
    assert [meeting.id for meeting in await running(database, rows[0])] == newest_first
    assert [meeting.id for meeting in await running(database, other)] == [other.meeting_id]
    first = await running(database, rows[0], size=2)
    after = first[-1].created_at, first[-1].id
    rest = await run(database, rows[0], lambda c: live_reports.list_running(c, rows[0].organization_id, 2, after))
    assert [meeting.id for meeting in [*first, *rest]] == newest_first
    await run(database, rows[1], partial(live.finish, row=rows[1], size_bytes=1, lease_s=None))
    await run(database, rows[2], lambda c: live.conclude(c, rows[2].meeting_id, rows[2].fence))
    left = await running(database, rows[0])
    assert [(meeting.id, meeting.finished) for meeting in left] == [
        (rows[1].meeting_id, True),
        (rows[0].meeting_id, False),
    ]


async def test_each_of_the_two_walls_hides_the_meetings_of_others(owner: Database, database: Database) -> None:
    ours, theirs = await opened(owner, database), await opened(owner, database, "Others")
    # Row-level security where the statement asks for theirs, and the statement where no policy binds.
    assert await running(database, ours, of=theirs) == []
    assert [meeting.id for meeting in await running(owner, ours)] == [ours.meeting_id]
    for file_hash, found in ((ours.file_hash, ours.meeting_id), (theirs.file_hash, None), ("0" * 64, None)):
        for role in (owner, database):
            find = partial(live_reports.find_session, organization_id=ours.organization_id, file_hash=file_hash)
            assert await run(role, ours, find) == found
    watch = partial(live_reports.watch, organization_id=ours.organization_id, meeting_id=theirs.meeting_id)
    for role in (owner, database):
        assert await run(role, ours, partial(watch, attended=True)) is None
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM live_meetings WHERE watched_at IS NOT NULL")) == 0


async def test_reports_are_taken_from_the_holder_alone_whosever_the_meetings_are(
    owner: Database, database: Database
) -> None:
    ours, theirs = await opened(owner, database), await opened(owner, database, "Others")
    assert (await running(database, ours))[0].report is None
    now = await taken_up(database, ours)
    assert await reported(database, ours, theirs) == {theirs.meeting_id}
    assert (await running(database, ours))[0].report is None
    assert await reported(database, now, theirs) == {ours.meeting_id, theirs.meeting_id}
    (listed,) = await running(database, ours)
    assert listed.report == {"connected": True}
    assert listed.report_age_s is not None
    assert listed.report_age_s >= 0
    # The names in it are not kept longer than the meeting runs.
    await run(database, now, lambda c: live.conclude(c, now.meeting_id, now.fence))
    assert await reported(database, now) == set()
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM live_meetings WHERE report IS NOT NULL")) == 1


@pytest.mark.parametrize("attended", [True, False], ids=["watched", "looked at"])
async def test_a_holder_learns_who_watches_elsewhere(owner: Database, database: Database, attended: bool) -> None:
    row = await opened(owner, database)
    watch = partial(live_reports.watch, organization_id=row.organization_id, meeting_id=row.meeting_id)
    found = await run(database, row, partial(watch, attended=attended))
    assert found == live_reports.Watched(concluded=False, report_age_s=None)
    told = await database.run(lambda c: live_reports.report(c, [HolderReport(row.meeting_id, row.fence, {})], 15))
    assert (told[row.meeting_id].unwatched_s is not None) is attended
    await run(database, row, lambda c: live.conclude(c, row.meeting_id, row.fence))
    found = await run(database, row, partial(watch, attended=attended))
    assert found is not None
    assert found.concluded

"""The length of the queue over all organizations, as the role of the servers may know it: numbers alone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

import pytest

from server.meetings import queue_watch
from server.meetings.queue_watch import QueueWatch
from server.storage import Connection, QueueFigures, jobs
from server.storage.pool import Database
from tests.monitoring.counting import samples
from tests.server.storage.rows import make_user, queued_meeting


async def execute(statement: str, connection: Connection) -> None:
    await connection.execute(statement)


async def test_waiting_and_running_jobs_of_all_organizations_are_counted(
    owner: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await database.run(jobs.queue_figures) == QueueFigures(0, 0, 0.0)
    for number, name in enumerate(("Acme", "Acme", "Other", "Third")):
        await queued_meeting(database, await make_user(owner, name), f"{number:064x}")
    assert await database.run(lambda c: jobs.lease_next(c, 30, 3)) is not None
    # One is due for ten minutes, one is due in an hour.
    for order, due in (("ASC", "-10 minutes"), ("DESC", "1 hour")):
        first = f"SELECT meeting_id FROM jobs WHERE lease_until IS NULL ORDER BY meeting_id {order} LIMIT 1"
        due_at = f"UPDATE jobs SET run_at = now() + interval '{due}' WHERE meeting_id = ({first})"
        await owner.run(partial(execute, due_at))
    watch = QueueWatch(database)
    running = asyncio.create_task(watch.run())
    async with asyncio.timeout(120):
        while not samples("meetra_jobs{"):
            await asyncio.sleep(0.01)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert samples("meetra_jobs{") == {"meetra_jobs{state=waiting}": 3, "meetra_jobs{state=running}": 1}
    assert 600 <= samples("meetra_jobs_oldest")["meetra_jobs_oldest_due_seconds"] < 3600
    # What was found long ago is not told as if it were so now.
    monkeypatch.setattr(queue_watch, "VALID_S", -1.0)
    assert samples("meetra_jobs") == {}

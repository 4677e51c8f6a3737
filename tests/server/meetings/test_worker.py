"""A worker's places: a job of one organization begins beside those of another, however many that one has queued."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from server.audio import AudioLog
from server.config import ServerSettings
from server.meetings import DecodedFiles, JobRunner, Retention, Worker
from server.search import SearchIndexing
from server.storage import AuditEvent, Job, audit, jobs
from server.storage.pool import Database
from tests.server.storage.rows import make_user, queued_meeting

PATIENCE_S = 120


class HeldAnalyses:
    """An analyzer whose engine is always there and whose analyses end when they are let."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.inference = self
        self.begun: list[UUID] = []
        self._held: dict[UUID, list[asyncio.Event]] = {}

    async def wait_until_reachable(self) -> None:
        await asyncio.sleep(0)

    async def analyse(self, job: Job) -> None:
        free = asyncio.Event()
        self._held.setdefault(job.organization_id, []).append(free)
        self.begun.append(job.organization_id)
        await free.wait()
        await self._database.run(lambda c: jobs.fail(c, job, "done"), organization_id=job.organization_id)

    def let(self, organization_id: UUID) -> None:
        """End the first running analysis of an organization."""
        self._held[organization_id].pop(0).set()

    async def until(self, *begun: UUID) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.begun != list(begun):
                await asyncio.sleep(0.02)


def started(database: Database, folder: Path) -> tuple[HeldAnalyses, asyncio.Event, asyncio.Task[None]]:
    """A worker of two places: its analyses, what stops it, and its run."""
    settings = ServerSettings(database_url=SecretStr("unused"), audio_dir=folder, poll_s=0.05, worker_concurrency=2)
    analyses: Any = HeldAnalyses(database)
    decoded = DecodedFiles(AudioLog(folder), database)
    stop = asyncio.Event()
    retention = Retention(AudioLog(folder), database, settings.retention_every_s)
    worker = Worker(
        settings,
        database,
        analyses,
        JobRunner(settings, database),
        decoded,
        retention,
        SearchIndexing(database),
    )
    return analyses, stop, asyncio.create_task(worker.run(stop))


async def test_of_two_places_an_organization_leaves_one_to_others(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    many, few = [await make_user(owner, name) for name in ("Many", "Few")]
    a, b = many.organization_id, few.organization_id
    for number in range(3):
        await queued_meeting(database, many, f"{number:064x}")
    analyses, stop, running = started(database, tmp_path)
    await analyses.until(a)
    # The other loop has asked several times by now.
    await asyncio.sleep(0.5)
    assert analyses.begun == [a]
    await queued_meeting(database, few, f"{9:064x}")
    await analyses.until(a, b)
    analyses.let(b)
    await asyncio.sleep(0.5)
    assert analyses.begun == [a, b]
    analyses.let(a)
    await analyses.until(a, b, a)
    stop.set()
    await running


async def test_a_damaged_job_ends_neither_the_worker_nor_an_analysis_and_holds_up_nobody(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    others, us = [await make_user(owner, name) for name in ("Others", "We")]
    await queued_meeting(database, others, f"{1:064x}")
    analyses, stop, running = started(database, tmp_path)
    await analyses.until(others.organization_id)
    # Damaged from the beginning: the worker would take it at once.
    async with asyncio.timeout(PATIENCE_S):
        await owner.run(lambda c: c.execute("ALTER TABLE jobs ALTER fence SET DEFAULT 2147483647"))
        await queued_meeting(database, us, f"{2:064x}")
        await owner.run(lambda c: c.execute("ALTER TABLE jobs ALTER fence SET DEFAULT 0"))
        failed = "SELECT message FROM meetings WHERE status = 'failed'"
        while await owner.run(lambda c: c.fetchval(failed)) != jobs.DAMAGED:
            await asyncio.sleep(0.02)
    await queued_meeting(database, us, f"{3:064x}")
    await analyses.until(others.organization_id, us.organization_id)
    assert not running.done()
    stop.set()
    await running


async def test_a_worker_deletes_audit_events_that_are_older_than_they_are_kept(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    us = (await make_user(owner)).organization_id
    events = [
        AuditEvent(
            organization_id=us, method=str(age), action="read", happened_at=datetime.now(UTC) - timedelta(days=age)
        )
        for age in (1, 59, 61)
    ]
    await database.run(lambda c: audit.add(c, us, events), organization_id=us)
    settings = ServerSettings(database_url=SecretStr("unused"), audio_dir=tmp_path, audit_days=60)
    analyses: Any = HeldAnalyses(database)
    stop, decoded = asyncio.Event(), DecodedFiles(AudioLog(tmp_path), database)
    retention = Retention(AudioLog(tmp_path), database, settings.retention_every_s)
    worker = Worker(
        settings, database, analyses, JobRunner(settings, database), decoded, retention, SearchIndexing(database)
    )
    running = asyncio.create_task(worker.run(stop))
    async with asyncio.timeout(PATIENCE_S):
        while len(kept := await owner.run(lambda c: c.fetch("SELECT method FROM audit_events ORDER BY method"))) == 3:
            await asyncio.sleep(0.02)
    assert [row["method"] for row in kept] == ["1", "59"]
    stop.set()
    await running

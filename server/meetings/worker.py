"""The worker: lease due jobs and run them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from uuid import UUID

from monitoring import MemoryReserve
from server.analysis import MeetingAnalyzer
from server.audio import StoreUnavailable
from server.config import ServerSettings
from server.meetings.decoded_files import DecodedFiles
from server.meetings.job_runner import JobRunner
from server.meetings.queue_watch import QueueWatch
from server.meetings.retention import Retention
from server.search import SearchIndexing
from server.storage import JOBS_CHANNEL, Database, DatabaseUnavailable, Job, audit, jobs
from server.webhooks import WebhookSender

SWEEP_EVERY_S = 3600.0
# Old audit events of an organization that go in one statement.
FORGOTTEN_AT_ONCE = 10_000
log = logging.getLogger(__name__)


class Worker:
    """Run analyses, at most ``settings.worker_concurrency`` at once, until stopped.

    An organization never has all places of several: a job of another one begins at once, beside a long one.
    """

    def __init__(
        self,
        settings: ServerSettings,
        database: Database,
        analyzer: MeetingAnalyzer,
        runner: JobRunner,
        decoded: DecodedFiles,
        retention: Retention,
        indexing: SearchIndexing,
        webhooks: WebhookSender | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._analyzer = analyzer
        self._runner = runner
        self._decoded = decoded
        self._retention = retention
        self._indexing = indexing
        self._queue_watch = QueueWatch(database)
        self._webhooks = webhooks
        self._memory = MemoryReserve(settings.memory_reserve_bytes)
        self._wake = asyncio.Event()
        self._running: Counter[UUID] = Counter()
        """Running jobs by organization."""
        self._leasing = asyncio.Lock()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; running jobs then return to the queue without counting an attempt."""
        work = asyncio.create_task(self._run_loops(), name="worker")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
        finally:
            for task in (work, stopped):
                task.cancel()
            await asyncio.gather(work, stopped, return_exceptions=True)

    async def _run_loops(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._sweep())
            group.create_task(self._forget_old_events())
            group.create_task(self._retention.run())
            group.create_task(self._indexing.run())
            group.create_task(self._queue_watch.run())
            if self._webhooks is not None:
                group.create_task(self._webhooks.run())
            for _ in range(self._settings.worker_concurrency):
                group.create_task(self._lease_and_run())
        # The group's tasks run until cancelled.

    async def _listen(self) -> None:
        """Wake idle loops when a job is queued; polling covers times without a connection."""
        await self._database.keep_listening(JOBS_CHANNEL, lambda _: self._wake.set(), self._settings.poll_s)

    async def _lease_and_run(self) -> None:
        while True:
            # Without an engine every attempt would fail: do not count one against the meeting.
            await self._analyzer.inference.wait_until_reachable()
            try:
                job = await self._lease()
            except DatabaseUnavailable as error:
                log.warning("%s", error)
                continue
            except Exception:
                # Whatever it is: a worker that ended here would take the running analyses with it, at each start again.
                log.exception("taking a job")
                await asyncio.sleep(self._settings.poll_s)
                continue
            if job is not None:
                try:
                    await self._runner.run(job, self._analyzer.analyse)
                    await self._clear_up(job)
                finally:
                    self._leave(job.organization_id)
                continue
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.poll_s):
                    await self._wake.wait()

    async def _lease(self) -> Job | None:
        """Lease a job of an organization that has a place left, and count it. Raises DatabaseUnavailable."""
        if self._running and self._memory.is_short():
            # One goes on, however little there is: else none would ever.
            return None
        settings, most = self._settings, max(1, self._settings.worker_concurrency - 1)
        async with self._leasing:
            full = [organization for organization, count in self._running.items() if count >= most]
            try:
                job = await self._database.run(
                    lambda c: jobs.lease_next(c, settings.lease_s, settings.max_attempts, passed_over=full)
                )
            except jobs.JobDamaged as damaged:
                log.error("%s (%s)", damaged, type(damaged.__cause__).__name__)
                meeting_id = damaged.meeting_id
                await self._database.run(
                    lambda c: jobs.give_up_damaged(c, meeting_id), organization_id=damaged.organization_id
                )
                return None
            if job is not None:
                self._running[job.organization_id] += 1
        return job

    def _leave(self, organization_id: UUID) -> None:
        self._running[organization_id] -= 1
        if not self._running[organization_id]:
            del self._running[organization_id]
        # Jobs that another loop passed over may have their turn.
        self._wake.set()

    async def _clear_up(self, job: Job) -> None:
        try:
            await self._decoded.remove_if_done(job.organization_id, job.file_hash)
        except (DatabaseUnavailable, OSError) as error:
            log.warning("decoded audio stays until the next sweep: %s", error)

    async def _forget_old_events(self) -> None:
        """Delete audit events that are older than they are kept, now and every hour."""
        while True:
            try:
                while deleted := await self._database.run(
                    lambda c: audit.delete_old(c, self._settings.audit_days, FORGOTTEN_AT_ONCE)
                ):
                    log.info("deleted %d audit events of more than %d days", deleted, self._settings.audit_days)
            except DatabaseUnavailable as error:
                log.warning("old audit events stay until the next time: %s", error)
            await asyncio.sleep(SWEEP_EVERY_S)

    async def _sweep(self) -> None:
        """Delete what crashes left behind, decoded audio and recordings without a meeting, now and every hour."""
        while True:
            try:
                if swept := await self._decoded.sweep():
                    log.info("removed the decoded audio of %d recordings whose analysis is over", swept)
                if orphans := await self._retention.deletion.sweep_kept():
                    log.info("removed %d recordings without a meeting from the object store", orphans)
            except (DatabaseUnavailable, StoreUnavailable, OSError) as error:
                log.warning("what crashes left stays until the next sweep: %s", error)
            await asyncio.sleep(SWEEP_EVERY_S)

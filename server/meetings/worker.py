"""The worker: takes due jobs one after another, keeps their leases, and settles how each ends."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from server.config import ServerSettings
from server.meetings.analysis import DATABASE_PATIENCE_S, Analyst
from server.meetings.decoding import UnusableRecording
from server.meetings.inference_client import SessionBroke, SessionRefused
from server.storage import jobs
from server.storage.jobs import Job, JobLost
from server.storage.meetings import JOBS_CHANNEL
from server.storage.pool import TRANSIENT_ERRORS, Database, DatabaseGone

log = logging.getLogger(__name__)
# A lease is renewed so often within its time, so that one late renewal loses nothing.
RENEWALS_PER_LEASE = 3
# Seconds before a broken analysis is tried again, times the attempt's number.
RETRY_DELAY_S = 1.0


class Worker:
    """Runs analyses, at most ``settings.worker_concurrency`` at once, until told to stop."""

    def __init__(self, settings: ServerSettings, database: Database, analyst: Analyst) -> None:
        self._settings = settings
        self._database = database
        self._analyst = analyst
        self._wake = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Works until ``stop`` is set; jobs in hand then go back to the queue uncounted."""
        work = asyncio.create_task(self._work(), name="worker")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
        finally:
            for task in (work, stopped):
                task.cancel()
            await asyncio.gather(work, stopped, return_exceptions=True)
            await self._analyst.inference.close()

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            for _ in range(self._settings.worker_concurrency):
                group.create_task(self._take_and_run())
        # The group's tasks never end by themselves.

    async def _listen(self) -> None:
        """Wakes idle loops when work arrives; polling covers the times without a connection."""
        while True:
            try:
                connection = await self._database.listen(JOBS_CHANNEL, self._wake.set)
            except TRANSIENT_ERRORS:
                await asyncio.sleep(self._settings.poll_s)
                continue
            try:
                while not connection.is_closed():  # noqa: ASYNC110 - a closed connection wakes nobody
                    await asyncio.sleep(self._settings.poll_s)
            finally:
                with suppress(*TRANSIENT_ERRORS):
                    await connection.close(timeout=2)

    async def _take_and_run(self) -> None:
        while True:
            # Without an engine no attempt can succeed: a meeting must not pay for that.
            await self._analyst.inference.until_reachable()
            try:
                job = await self._database.run(
                    lambda c: jobs.take(c, self._settings.lease_s, self._settings.max_attempts)
                )
            except DatabaseGone as error:
                log.warning("%s", error)
                continue
            if job is not None:
                await self._run(job)
                continue
            self._wake.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._settings.poll_s)

    async def _run(self, job: Job) -> None:
        log.info("meeting %s: attempt %d", job.meeting_id, job.attempt)
        try:
            await self._attempt(job)
            log.info("meeting %s: ready", job.meeting_id)
        except asyncio.CancelledError:
            log.info("meeting %s: given back, the worker stops", job.meeting_id)
            await asyncio.shield(self._release(job, "Waiting for a free worker", 0.0, counted=False))
            raise
        except (UnusableRecording, SessionRefused) as error:
            log.info("meeting %s: failed: %s", job.meeting_id, error)
            await self._settle(job, str(error))
        except JobLost as error:
            log.warning("%s", error)
        except (SessionBroke, DatabaseGone) as error:
            log.warning("meeting %s: attempt %d broke: %s", job.meeting_id, job.attempt, error)
            await self._retry(job)
        except Exception:
            log.exception("meeting %s: attempt %d broke", job.meeting_id, job.attempt)
            await self._retry(job)

    async def _attempt(self, job: Job) -> None:
        """One analysis under a kept lease; raises what broke first."""
        try:
            async with asyncio.TaskGroup() as group:
                heartbeat = group.create_task(self._keep(job))
                await self._analyst.analyse(job)
                heartbeat.cancel()
        except BaseExceptionGroup as group_error:
            raise _first(group_error) from group_error

    async def _keep(self, job: Job) -> None:
        """Renews the lease for as long as the analysis runs. Raises JobLost."""
        while True:
            await asyncio.sleep(self._settings.lease_s / RENEWALS_PER_LEASE)
            await self._database.run(
                lambda c: jobs.renew(c, job, self._settings.lease_s), patience_s=DATABASE_PATIENCE_S
            )

    async def _settle(self, job: Job, reason: str) -> None:
        with suppress(JobLost, DatabaseGone):
            await self._database.run(lambda c: jobs.fail(c, job, reason), patience_s=DATABASE_PATIENCE_S)

    async def _retry(self, job: Job) -> None:
        message = f"The analysis was interrupted (attempt {job.attempt} of {self._settings.max_attempts})"
        await self._release(job, message, RETRY_DELAY_S * job.attempt, counted=True)

    async def _release(self, job: Job, message: str, delay_s: float, *, counted: bool) -> None:
        # Where the database is away for long, the lease runs out and does the same.
        with suppress(JobLost, DatabaseGone):
            await self._database.run(lambda c: jobs.release(c, job, message, delay_s=delay_s, counted=counted))


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first plain exception in a group."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error

"""The execution of one job: keep its lease, run the work, settle the outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from monitoring import continued_trace
from privacy import log_context
from server.analysis import DATABASE_PATIENCE_S, MinutesUsedUp
from server.audio import DecoderDied, RecordingMissing, StoreUnavailable, UnusableRecording
from server.config import ServerSettings
from server.disk import DiskFull
from server.engine import EngineBusy, SessionBroke, SessionRefused
from server.monitoring import ANALYSES, ANALYSES_RUNNING
from server.storage import Database, DatabaseFull, DatabaseUnavailable, Job, JobLost, jobs

log = logging.getLogger(__name__)
# Renewals within the time of a lease, so that one late renewal does not lose it.
RENEWALS_PER_LEASE = 3
# Seconds before a broken analysis is retried, multiplied by the attempt's number.
RETRY_DELAY_S = 1.0
# Seconds before a job is retried that the engine had no capacity for.
BUSY_DELAY_S = 3.0
# Seconds before a job is retried that found the disk full, for as long as it takes an operator to free space.
DISK_FULL_DELAY_S = 60.0
# Seconds before a job is retried whose recording the object store did not give.
STORE_DELAY_S = 15.0
# Seconds before a job is retried whose recording is not there, multiplied by the attempt's number: an operator may have
# named another store.
MISSING_DELAY_S = 60.0
MISSING = "The recording is not where the server keeps recordings. Upload it again"
DISK_FULL = "Waiting for disk space on the server"
MINUTES_USED_UP = "Waiting for the next day (UTC): the organization's minutes of audio analysed a day are used up"

Work = Callable[[Job], Awaitable[None]]


class JobRunner:
    """Run leased jobs."""

    def __init__(self, settings: ServerSettings, database: Database) -> None:
        self._settings = settings
        self._database = database

    async def run(self, job: Job, work: Work) -> None:
        """Run ``work`` for a leased job. Afterwards the job is settled, released, or lost to another worker.

        Raises only CancelledError.
        """
        with (
            ANALYSES_RUNNING.track_inprogress(),
            continued_trace(job.trace) as trace,
            log_context(meeting=job.meeting_id, organization=job.organization_id, trace=trace),
        ):
            log.info("meeting %s: attempt %d", job.meeting_id, job.attempt)
            ANALYSES.labels(await self._settle(job, work)).inc()

    async def _settle(self, job: Job, work: Work) -> str:
        """Run the work and settle the job; return what became of the attempt, for the count."""
        try:
            await self._attempt(job, work)
            log.info("meeting %s: ready", job.meeting_id)
            return "ready"
        except asyncio.CancelledError:
            ANALYSES.labels("stopped").inc()
            log.info("meeting %s: returned to the queue, the worker is stopping", job.meeting_id)
            await asyncio.shield(self._release(job, "Waiting for a free worker", 0.0, counted=False))
            raise
        except (UnusableRecording, DecoderDied, SessionRefused) as error:
            # The reason is for the meeting's owners: it may quote the recording.
            log.info("meeting %s: failed (%s)", job.meeting_id, type(error).__name__)
            await self._fail(job, str(error))
            return "failed"
        except JobLost as error:
            log.warning("%s", error)
            return "lost"
        except EngineBusy:
            # No attempt was made: it must not count against the meeting.
            await self._release(job, "Waiting for the engine", BUSY_DELAY_S, counted=False)
            return "engine_busy"
        except MinutesUsedUp as error:
            log.info("meeting %s: waits, %s", job.meeting_id, error)
            await self._release(job, MINUTES_USED_UP, error.day_ends_in_s, counted=False)
            return "quota"
        except (DiskFull, DatabaseFull) as error:
            # The recording was accepted, and is not at fault.
            log.error("meeting %s: waits, %s", job.meeting_id, error)
            await self._release(job, DISK_FULL, DISK_FULL_DELAY_S, counted=False)
            return "disk_full"
        except StoreUnavailable as error:
            # No attempt was made, as without an engine.
            log.warning("meeting %s: %s", job.meeting_id, error)
            await self._release(job, "Waiting for the store of recordings", STORE_DELAY_S, counted=False)
            return "store_away"
        except RecordingMissing as error:
            log.error("meeting %s: attempt %d: %s", job.meeting_id, job.attempt, error)
            if job.attempt >= self._settings.max_attempts:
                await self._fail(job, MISSING)
            else:
                await self._release(job, "Waiting for the recording", MISSING_DELAY_S * job.attempt, counted=True)
            return "broke"
        except (SessionBroke, DatabaseUnavailable) as error:
            log.warning("meeting %s: attempt %d failed: %s", job.meeting_id, job.attempt, error)
            await self._retry(job)
            return "broke"
        except Exception:
            log.exception("meeting %s: attempt %d failed", job.meeting_id, job.attempt)
            await self._retry(job)
            return "broke"

    async def _attempt(self, job: Job, work: Work) -> None:
        """Run one attempt while renewing the lease; raise the first error of either."""
        try:
            async with asyncio.TaskGroup() as group:
                heartbeat = group.create_task(self._renew_lease(job))
                await work(job)
                heartbeat.cancel()
        except BaseExceptionGroup as group_error:
            raise _first_error(group_error) from group_error

    async def _renew_lease(self, job: Job) -> None:
        """Renew the lease periodically until cancelled. Raises JobLost."""
        while True:
            await asyncio.sleep(self._settings.lease_s / RENEWALS_PER_LEASE)
            await self._database.run(
                lambda c: jobs.renew(c, job, self._settings.lease_s),
                organization_id=job.organization_id,
                patience_s=DATABASE_PATIENCE_S,
            )

    async def _fail(self, job: Job, reason: str) -> None:
        with suppress(JobLost, DatabaseUnavailable):
            await self._database.run(
                lambda c: jobs.fail(c, job, reason),
                organization_id=job.organization_id,
                patience_s=DATABASE_PATIENCE_S,
            )

    async def _retry(self, job: Job) -> None:
        message = f"The analysis was interrupted (attempt {job.attempt} of {self._settings.max_attempts})"
        await self._release(job, message, RETRY_DELAY_S * job.attempt, counted=True)

    async def _release(self, job: Job, message: str, delay_s: float, *, counted: bool) -> None:
        # If the database stays unreachable, the lease expires to the same effect.
        with suppress(JobLost, DatabaseUnavailable):
            await self._database.run(
                lambda c: jobs.release(c, job, message, delay_s=delay_s, counted=counted),
                organization_id=job.organization_id,
            )


def _first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first plain exception in a group."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error

"""The job queue: rows leased to workers, with attempts counted per meeting and writes fenced.

When a worker dies its lease expires and the row is leased again. A worker's writes count only while its fence equals
the row's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from server.channels import ChannelUse
from server.conversation import RedactionKind, parse_redaction_kinds
from server.lifecycle import Stage
from server.storage import webhook_events
from server.storage.pool import Connection, enter_organization

ATTEMPTS_EXHAUSTED = (
    "The analysis crashed {attempts} times on this recording and was abandoned; upload it again to retry"
)
DAMAGED = "What the database says of this meeting's analysis is damaged; upload the recording again to retry"


@dataclass(frozen=True, slots=True)
class Job:
    """A meeting to analyse, leased to a worker."""

    meeting_id: UUID
    organization_id: UUID
    file_hash: str
    name: str
    n_speakers: int | None
    language: str
    """The stated language; empty to have it detected."""
    key_terms: tuple[str, ...]
    """Names and terms to bias recognition with."""
    channels: ChannelUse
    """Use of the channels of an uploaded recording."""
    attempt: int
    fence: int
    redact: frozenset[RedactionKind] = frozenset()
    """What is redacted."""
    trace: str = ""
    """Of whoever queued it, as a header ``traceparent``; empty: of none."""
    others_wait: bool = False
    """Whether other jobs of its organization waited when it was leased."""


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """How long the queue is, over all organizations."""

    waiting: int
    """Jobs that nobody works at, those that are due later too."""
    running: int
    oldest_due_s: float
    """For how long the first job that nobody works at is due, seconds; 0: none is."""


class JobLost(Exception):
    """Another worker holds the job; this worker's results are void."""


class JobDamaged(Exception):
    """The rows of a due job hold what no job can have: nobody can lease it."""

    def __init__(self, meeting_id: UUID, organization_id: UUID) -> None:
        super().__init__(f"meeting {meeting_id}: its job is damaged")
        self.meeting_id, self.organization_id = meeting_id, organization_id


async def queue_figures(connection: Connection) -> QueueFigures:
    """Return how long the queue is."""
    row = await connection.fetchrow("SELECT * FROM queue_figures()")
    assert row is not None
    oldest_due = row["oldest_due"] or timedelta()
    return QueueFigures(row["waiting"], row["running"], oldest_due.total_seconds())


async def lease_next(
    connection: Connection, lease_s: float, max_attempts: int, passed_over: Collection[UUID] = ()
) -> Job | None:
    """Lease the next due job and count an attempt; return None if none is due. Organizations take turns.

    A job with ``max_attempts`` attempts is not leased: its meeting fails.

    Args:
        lease_s: duration of the lease, seconds.
        passed_over: organizations whose jobs are left to others.

    Raises JobDamaged; until somebody gives that job up, it is the next one of its organization again.
    """
    row = await connection.fetchrow(
        "SELECT meeting_id, organization_id, attempts FROM lock_due_job($1)", list(passed_over)
    )
    if row is None:
        return None
    await enter_organization(connection, row["organization_id"])
    if row["attempts"] >= max_attempts:
        await _fail(connection, row["meeting_id"], ATTEMPTS_EXHAUSTED.format(attempts=row["attempts"]))
        return None
    try:
        return await lease_own(connection, row["meeting_id"], timedelta(seconds=lease_s))
    except (asyncpg.DataError, TypeError, ValueError) as error:
        raise JobDamaged(row["meeting_id"], row["organization_id"]) from error


async def give_up_damaged(connection: Connection, meeting_id: UUID) -> None:
    """Fail the meeting of a damaged job, until it is uploaded again; do nothing if its job is gone."""
    if await connection.fetchval("SELECT true FROM jobs WHERE meeting_id = $1 FOR UPDATE", meeting_id):
        await _fail(connection, meeting_id, DAMAGED)


async def lease_own(connection: Connection, meeting_id: UUID, lease: timedelta) -> Job:
    """Lease a meeting's job and count an attempt; the caller must ensure that nobody else holds it."""
    leased = await connection.fetchrow(
        "UPDATE jobs SET fence = fence + 1, lease_until = now() + $2 WHERE meeting_id = $1 RETURNING fence, trace,"
        " EXISTS (SELECT FROM jobs other WHERE other.organization_id = jobs.organization_id"
        " AND other.meeting_id <> jobs.meeting_id AND other.run_at <= now()"
        " AND (other.lease_until IS NULL OR other.lease_until < now())) AS others_wait",
        meeting_id,
        lease,
    )
    row = await connection.fetchrow(
        "UPDATE meetings SET status = 'processing', stage = 'decoding', progress_percent = 0, attempts = attempts + 1,"
        " message = 'Decoding the recording', updated_at = now() WHERE id = $1"
        " RETURNING id AS meeting_id, organization_id, file_hash, name, n_speakers, language, key_terms,"
        " channels, redact, attempts AS attempt",
        meeting_id,
    )
    assert row is not None and leased is not None  # noqa: PT018 - both are there, or neither
    stored = {
        **row,
        "key_terms": tuple(row["key_terms"]),
        "channels": ChannelUse(row["channels"]),
        "redact": parse_redaction_kinds(row["redact"]),
    }
    return Job(**stored, **leased)


async def check_fence(connection: Connection, job: Job) -> None:
    """Lock the job's row for this transaction. Raises JobLost if another worker holds the job."""
    holds_fence = await connection.fetchval(
        "SELECT true FROM jobs WHERE meeting_id = $1 AND fence = $2 FOR UPDATE", job.meeting_id, job.fence
    )
    if not holds_fence:
        raise JobLost(f"another worker holds the job of meeting {job.meeting_id}")


async def renew(connection: Connection, job: Job, lease_s: float) -> None:
    """Extend the lease to ``lease_s`` seconds from now. Raises JobLost."""
    await check_fence(connection, job)
    await connection.execute(
        "UPDATE jobs SET lease_until = now() + $2 WHERE meeting_id = $1", job.meeting_id, timedelta(seconds=lease_s)
    )


async def report(connection: Connection, job: Job, stage: Stage, percent: int, message: str) -> None:
    """Store the progress of an analysis. Raises JobLost.

    Args:
        percent: 0..100; it never falls within an attempt.
        message: for people.
    """
    await check_fence(connection, job)
    await connection.execute(
        "UPDATE meetings SET stage = $2, progress_percent = greatest(progress_percent, $3), message = $4,"
        " updated_at = now() WHERE id = $1",
        job.meeting_id,
        str(stage),
        percent,
        message,
    )


async def release(connection: Connection, job: Job, message: str, *, delay_s: float, counted: bool) -> None:
    """Return the job to the queue, due after ``delay_s``; unless ``counted``, revert the attempt. Raises JobLost."""
    await check_fence(connection, job)
    await connection.execute(
        "UPDATE jobs SET lease_until = NULL, run_at = now() + $2 WHERE meeting_id = $1",
        job.meeting_id,
        timedelta(seconds=delay_s),
    )
    await connection.execute(
        "UPDATE meetings SET status = 'queued', stage = 'waiting', progress_percent = 0, message = $2,"
        " attempts = attempts - $3, updated_at = now() WHERE id = $1",
        job.meeting_id,
        message,
        0 if counted else 1,
    )


async def fail(connection: Connection, job: Job, reason: str) -> None:
    """Mark the meeting as failed until it is uploaded again; its stage is kept. Raises JobLost."""
    await check_fence(connection, job)
    await _fail(connection, job.meeting_id, reason)


async def _fail(connection: Connection, meeting_id: UUID, reason: str) -> None:
    await connection.execute(
        "UPDATE meetings SET status = 'failed', message = $2, outcomes = outcomes + 1, updated_at = now()"
        " WHERE id = $1",
        meeting_id,
        reason,
    )
    await connection.execute("DELETE FROM jobs WHERE meeting_id = $1", meeting_id)
    await webhook_events.add_outcome(connection, meeting_id)

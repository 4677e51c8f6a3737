"""The queue: rows taken with a lease, attempts counted on the meeting, holders fenced.

A worker that dies keeps nothing: its lease runs out and the row is taken again. What a
worker writes counts only while its fence is the row's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from server.channels import ChannelUse
from server.lifecycle import Stage
from server.storage.pool import Connection

GIVEN_UP = "The analysis crashed {attempts} times on this recording and was given up; uploading it again tries anew"


@dataclass(frozen=True, slots=True)
class Job:
    """A meeting to analyse, held until its lease runs out."""

    meeting_id: UUID
    organization_id: UUID
    file_hash: str
    name: str
    n_speakers: int | None
    language: str
    """As it was given; empty: it is detected."""
    key_terms: tuple[str, ...]
    """Names and terms that may be said."""
    channels: ChannelUse
    """What the channels of an uploaded recording are."""
    attempt: int
    fence: int


class JobLost(Exception):
    """Another worker holds the job now; whatever this one has is void."""


async def take(connection: Connection, lease_s: float, max_attempts: int) -> Job | None:
    """The next due job, leased and counted as an attempt; None where none is due.

    A job whose permitted attempts are used up is not given out: its meeting fails.
    """
    row = await connection.fetchrow(
        "SELECT j.meeting_id, m.attempts FROM jobs j JOIN meetings m ON m.id = j.meeting_id"
        " WHERE j.run_at <= now() AND (j.lease_until IS NULL OR j.lease_until < now())"
        " ORDER BY j.run_at LIMIT 1 FOR UPDATE OF j, m SKIP LOCKED"
    )
    if row is None:
        return None
    if row["attempts"] >= max_attempts:
        await _fail(connection, row["meeting_id"], GIVEN_UP.format(attempts=row["attempts"]))
        return None
    return await take_own(connection, row["meeting_id"], timedelta(seconds=lease_s))


async def take_own(connection: Connection, meeting_id: UUID, lease: timedelta) -> Job:
    """Leases the job of one meeting and counts the attempt; the caller sees to it that nobody else has it."""
    fence = await connection.fetchval(
        "UPDATE jobs SET fence = fence + 1, lease_until = now() + $2 WHERE meeting_id = $1 RETURNING fence",
        meeting_id,
        lease,
    )
    row = await connection.fetchrow(
        "UPDATE meetings SET status = 'processing', stage = 'decoding', progress_percent = 0, attempts = attempts + 1,"
        " message = 'Decoding the recording', updated_at = now() WHERE id = $1"
        " RETURNING id AS meeting_id, organization_id, file_hash, name, n_speakers, language, key_terms,"
        " channels, attempts AS attempt",
        meeting_id,
    )
    assert row is not None
    stored = {**row, "key_terms": tuple(row["key_terms"]), "channels": ChannelUse(row["channels"])}
    return Job(**stored, fence=fence)


async def hold(connection: Connection, job: Job) -> None:
    """Locks the job's row for this transaction. Raises JobLost when somebody else took it."""
    held = await connection.fetchval(
        "SELECT true FROM jobs WHERE meeting_id = $1 AND fence = $2 FOR UPDATE", job.meeting_id, job.fence
    )
    if not held:
        raise JobLost(f"meeting {job.meeting_id} is in other hands")


async def renew(connection: Connection, job: Job, lease_s: float) -> None:
    """Keeps the job for another lease. Raises JobLost."""
    await hold(connection, job)
    await connection.execute(
        "UPDATE jobs SET lease_until = now() + $2 WHERE meeting_id = $1", job.meeting_id, timedelta(seconds=lease_s)
    )


async def report(connection: Connection, job: Job, stage: Stage, percent: int, message: str) -> None:
    """Says how far the analysis has come; the percentage never falls within an attempt."""
    await hold(connection, job)
    await connection.execute(
        "UPDATE meetings SET stage = $2, progress_percent = greatest(progress_percent, $3), message = $4,"
        " updated_at = now() WHERE id = $1",
        job.meeting_id,
        str(stage),
        percent,
        message,
    )


async def release(connection: Connection, job: Job, message: str, *, delay_s: float, counted: bool) -> None:
    """Gives the job back, to be taken again after ``delay_s``; an attempt not ``counted`` is forgotten."""
    await hold(connection, job)
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
    """The meeting fails, until its recording is uploaded again; it keeps the stage at which it failed."""
    await hold(connection, job)
    await _fail(connection, job.meeting_id, reason)


async def _fail(connection: Connection, meeting_id: UUID, reason: str) -> None:
    await connection.execute(
        "UPDATE meetings SET status = 'failed', message = $2, updated_at = now() WHERE id = $1", meeting_id, reason
    )
    await connection.execute("DELETE FROM jobs WHERE meeting_id = $1", meeting_id)

"""What an analysis leaves: the session's events as they come, and at the end everything at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from server.storage import jobs
from server.storage.jobs import Job

if TYPE_CHECKING:
    from server.storage.pool import Connection


def speaker_id(meeting_id: UUID, label: int) -> UUID:
    """The UUID of a meeting's speaker: the same however often the meeting is analysed."""
    return uuid5(meeting_id, f"speaker-{label}")


async def append_events(connection: Connection, job: Job, events: Sequence[tuple[int, bytes]]) -> None:
    """Stores events (event_seq, serialized message); those stored already are left alone. Raises JobLost."""
    await jobs.hold(connection, job)
    await connection.executemany(
        "INSERT INTO session_events (meeting_id, fence, event_seq, payload) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING",
        [(job.meeting_id, job.fence, sequence, payload) for sequence, payload in events],
    )


async def finish(
    connection: Connection,
    job: Job,
    *,
    conversation: dict[str, Any],
    engine: dict[str, Any],
    speakers: Sequence[int],
    insights: Mapping[str, tuple[str, dict[str, Any]]],
    duration_ms: int,
    message: str,
) -> None:
    """Makes the meeting ready, in the caller's transaction: all of it or nothing. Raises JobLost.

    ``insights`` maps a family to its definition version and document.
    """
    await jobs.hold(connection, job)
    meeting_id = job.meeting_id
    await connection.execute(
        "INSERT INTO conversations (meeting_id, document) VALUES ($1, $2)"
        " ON CONFLICT (meeting_id) DO UPDATE SET document = excluded.document",
        meeting_id,
        conversation,
    )
    await connection.executemany(
        "INSERT INTO speakers (id, meeting_id, label, alias) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        [(speaker_id(meeting_id, label), meeting_id, label, f"Speaker {label}") for label in speakers],
    )
    await connection.executemany(
        "INSERT INTO insights (meeting_id, family, definition_version, value) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (meeting_id, family) DO UPDATE"
        " SET definition_version = excluded.definition_version, value = excluded.value",
        [(meeting_id, family, version, value) for family, (version, value) in insights.items()],
    )
    await connection.execute("DELETE FROM session_events WHERE meeting_id = $1 AND fence <> $2", meeting_id, job.fence)
    await connection.execute(
        "UPDATE meetings SET status = 'ready', stage = 'done', progress_percent = 100, message = $2, engine = $3,"
        " duration_ms = $4, updated_at = now() WHERE id = $1",
        meeting_id,
        message,
        engine,
        duration_ms,
    )
    await connection.execute("DELETE FROM jobs WHERE meeting_id = $1", meeting_id)

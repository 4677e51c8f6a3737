"""The results of an analysis, stored in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from server.storage import insights, jobs, speakers, webhook_events
from server.storage.jobs import Job
from server.storage.pool import Connection
from server.storage.speakers import SpeakerRow


@dataclass(frozen=True, slots=True)
class StoredRedaction:
    """What was redacted in a meeting."""

    ranges_ms: list[list[int]]
    """[start, end] of each, milliseconds, in time order, without overlaps."""
    name: str
    """The meeting's name, redacted."""
    hides_names: bool
    """Whether names of speakers are redacted."""


async def finish(
    connection: Connection,
    job: Job,
    *,
    conversation: dict[str, Any],
    engine: dict[str, Any],
    speakers_found: Sequence[SpeakerRow],
    answers: Mapping[str, tuple[str, dict[str, Any]]],
    duration_ms: int,
    language: str,
    language_confidence: float | None,
    speech_found: bool,
    notice: str,
    message: str,
    redaction: StoredRedaction | None = None,
) -> None:
    """Store an analysis and make the meeting ready, within the caller's transaction. Raises JobLost.

    Args:
        answers: family -> definition version, document.
        language: the most spoken one, BCP 47 primary tag; empty if unknown.
        language_confidence: 0..1; None if the language was stated or is unknown.
        notice: what a reader of the answers must know; empty if nothing.
        message: status message of the ready meeting.
        redaction: what was redacted; None if nothing was to be.
    """
    await jobs.check_fence(connection, job)
    meeting_id = job.meeting_id
    await connection.execute(
        "INSERT INTO conversations (meeting_id, document) VALUES ($1, $2)"
        " ON CONFLICT (meeting_id) DO UPDATE SET document = excluded.document",
        meeting_id,
        conversation,
    )
    await speakers.store(connection, meeting_id, speakers_found)
    await insights.store(connection, meeting_id, answers)
    await connection.execute(
        "UPDATE meetings SET status = 'ready', stage = 'done', progress_percent = 100, message = $2, engine = $3,"
        " duration_ms = $4, spoken_language = nullif($5, ''), language_confidence = $6, speech_found = $7, notice = $8,"
        " outcomes = outcomes + 1, updated_at = now() WHERE id = $1",
        meeting_id,
        message,
        engine,
        duration_ms,
        language,
        language_confidence,
        speech_found,
        notice,
    )
    if redaction is not None:
        await _store_redaction(connection, meeting_id, redaction)
    await connection.execute("DELETE FROM jobs WHERE meeting_id = $1", meeting_id)
    # Last: it is told what is stored by then.
    await webhook_events.add_outcome(connection, meeting_id)


async def _store_redaction(connection: Connection, meeting_id: UUID, redaction: StoredRedaction) -> None:
    """Store the ranges, and remove what served the analysis and may quote what is redacted."""
    await connection.execute(
        "UPDATE meetings SET redacted_ranges = $2, name = $3, key_terms = '{}' WHERE id = $1",
        meeting_id,
        redaction.ranges_ms,
        redaction.name,
    )
    await connection.execute(
        "UPDATE live_meetings SET config = config || jsonb_build_object('name', $2::text, 'key_terms', '[]'::jsonb,"
        " 'rules', '[]'::jsonb) WHERE meeting_id = $1",
        meeting_id,
        redaction.name,
    )
    if redaction.hides_names:
        await connection.execute(
            "UPDATE live_meetings SET config = jsonb_set(config, '{tracks}', (SELECT jsonb_agg(t.track ||"
            ' \'{"participant_name": "", "earlier_names": []}\' ORDER BY t.place)'
            " FROM jsonb_array_elements(config->'tracks')"
            " WITH ORDINALITY AS t (track, place))) WHERE meeting_id = $1",
            meeting_id,
        )

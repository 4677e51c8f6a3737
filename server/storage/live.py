"""Live meetings: their rows and events.

``fence`` is the holder's fencing token, ``LiveRow.fence`` as returned by ``live_leases.acquire``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from monitoring import current_traceparent
from server.consent import Consent
from server.storage import consents, jobs, webhook_events
from server.storage.jobs import Job
from server.storage.meetings import JOBS_CHANNEL
from server.storage.pool import Connection

MEDIA_TYPE = "application/vnd.meetra.live"


class MeetingLost(Exception):
    """Another process holds the meeting, or it was deleted; this process's state is void."""


@dataclass(frozen=True, slots=True)
class LiveRow:
    """A stored live meeting."""

    meeting_id: UUID
    organization_id: UUID
    user_id: UUID | None
    """None once the user was deleted."""
    file_hash: str
    status: str
    config: dict[str, Any]
    fence: int
    owner: int
    finished: bool
    concluded: bool
    ignored_tracks: tuple[str, ...]
    audio_deleted_at: datetime | None = None
    transcript_deleted_at: datetime | None = None
    long_over: bool = False
    """Whether the last event was stored more than two minutes ago."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A new event."""

    event_seq: int
    segment_id: int | None
    payload: bytes
    alert: dict[str, Any] | None = None
    """The alert that it is, as REST shows it; None: it is none."""


_ROW = """
SELECT l.meeting_id, m.organization_id, m.user_id, m.file_hash, m.status, l.config, l.fence, l.owner, l.finished,
       l.concluded, l.ignored_tracks, m.audio_deleted_at, m.transcript_deleted_at,
       coalesce(l.concluded_at < now() - interval '2 minutes', l.concluded) AS long_over
  FROM live_meetings l JOIN meetings m ON m.id = l.meeting_id
"""


async def create(
    connection: Connection,
    row: LiveRow,
    *,
    name: str,
    held_on: str | None,
    n_speakers: int | None,
    language: str,
    key_terms: Sequence[str] = (),
    consents_given: Sequence[Consent] = (),
    redact: str = "",
    key_id: UUID | None = None,
) -> None:
    """Insert a new live meeting. Idempotent.

    Args:
        held_on: ISO 8601 date or date-time, None if unknown.
        n_speakers: stated number of people, None if unknown.
        language: BCP 47 tag; empty to have it detected.
        key_terms: terms to bias recognition with.
        consents_given: noted by the user who opens it.
        redact: kinds to redact, separated by commas.
        key_id: of the API key with which it is opened; None: of none.
    """
    await connection.execute(
        "INSERT INTO meetings (id, organization_id, user_id, file_hash, name, held_on, n_speakers, language,"
        " media_type, size_bytes, key_terms, redact, key_id, status, stage, message)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12, 'receiving', 'receiving',"
        " 'The meeting is in progress')"
        " ON CONFLICT DO NOTHING",
        row.meeting_id,
        row.organization_id,
        row.user_id,
        row.file_hash,
        name,
        held_on,
        n_speakers,
        language,
        MEDIA_TYPE,
        list(key_terms),
        redact,
        key_id,
    )
    await connection.execute(
        "INSERT INTO live_meetings (meeting_id, config) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        row.meeting_id,
        row.config,
    )
    await consents.replace(connection, row.organization_id, row.meeting_id, row.user_id, consents_given)
    await webhook_events.add_live(connection, "live.started", row.meeting_id)


async def count_running(connection: Connection, but: UUID) -> tuple[int, int]:
    """Return the number of the organization's running live meetings, and of their tracks, ``but`` one meeting.

    Tracks that have ended do not count.

    A meeting runs until its last event is stored. Other callers for the organization wait until this transaction ends,
    so that a meeting which is then created is counted by them.
    """
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('live meetings of ' || current_organization(), 0))"
    )
    (row,) = await connection.fetch(
        "SELECT count(*) AS meetings, coalesce(sum((SELECT count(*) FROM jsonb_array_elements(config->'tracks') t"
        " WHERE NOT coalesce((t->>'ended')::boolean, false))), 0)::bigint AS tracks"
        " FROM live_meetings WHERE NOT concluded AND meeting_id <> $1",
        but,
    )
    return row["meetings"], row["tracks"]


async def fences(connection: Connection, meeting_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the current fence of each of the organization's meetings; deleted ones are left out."""
    rows = await connection.fetch("SELECT meeting_id, fence FROM live_meetings WHERE meeting_id = ANY($1)", meeting_ids)
    return {row["meeting_id"]: row["fence"] for row in rows}


async def find(connection: Connection, organization_id: UUID, meeting_id: UUID) -> LiveRow | None:
    """Return an organization's live meeting, or None."""
    row = await connection.fetchrow(
        _ROW + " WHERE l.meeting_id = $1 AND m.organization_id = $2", meeting_id, organization_id
    )
    return _to_row(row) if row else None


def _to_row(row: Any) -> LiveRow:
    return LiveRow(**{**dict(row), "ignored_tracks": tuple(row["ignored_tracks"])})


async def check_fence(connection: Connection, meeting_id: UUID, fence: int) -> None:
    """Lock the meeting's row for this transaction. Raises MeetingLost if another process holds the meeting."""
    holds_fence = await connection.fetchval(
        "SELECT true FROM live_meetings WHERE meeting_id = $1 AND fence = $2 FOR UPDATE", meeting_id, fence
    )
    if not holds_fence:
        raise MeetingLost(f"another process holds live meeting {meeting_id}")


async def new_owner(connection: Connection, meeting_id: UUID, fence: int) -> int:
    """Assign a number to a newly connected client. Raises MeetingLost."""
    await check_fence(connection, meeting_id, fence)
    owner: int = await connection.fetchval(
        "UPDATE live_meetings SET owner = owner + 1, heard_at = now() WHERE meeting_id = $1 RETURNING owner",
        meeting_id,
    )
    return owner


async def append_events(connection: Connection, meeting_id: UUID, fence: int, events: Sequence[NewEvent]) -> None:
    """Store events in one statement, and what webhooks are told of them; ones already stored are skipped.

    Raises MeetingLost.
    """
    holds_fence = await connection.fetchval(
        "WITH held AS (SELECT FROM live_meetings WHERE meeting_id = $1 AND fence = $2 FOR UPDATE),"
        " stored AS (INSERT INTO live_events (meeting_id, event_seq, segment_id, payload)"
        " SELECT $1, e.* FROM held, unnest($3::bigint[], $4::bigint[], $5::bytea[]) AS e ON CONFLICT DO NOTHING)"
        " SELECT true FROM held",
        meeting_id,
        fence,
        [event.event_seq for event in events],
        [event.segment_id for event in events],
        [event.payload for event in events],
    )
    if not holds_fence:
        raise MeetingLost(f"another process holds live meeting {meeting_id}")
    for event in events:
        if event.alert is not None:
            await webhook_events.add_alert(connection, meeting_id, event.event_seq, event.alert)


async def events_after(connection: Connection, meeting_id: UUID, event_seq: int, limit: int) -> list[bytes]:
    """Return the payloads of up to ``limit`` events after ``event_seq``, in order."""
    rows = await connection.fetch(
        "SELECT payload FROM live_events WHERE meeting_id = $1 AND event_seq > $2 ORDER BY event_seq LIMIT $3",
        meeting_id,
        event_seq,
        limit,
    )
    return [row["payload"] for row in rows]


async def last_event_seq(connection: Connection, meeting_id: UUID) -> int:
    """Return the number of the last event; 0 if there is none."""
    last: int = await connection.fetchval(
        "SELECT coalesce(max(event_seq), 0) FROM live_events WHERE meeting_id = $1", meeting_id
    )
    return last


async def record_contact(connection: Connection, meeting_ids: Sequence[UUID]) -> None:
    """Record that clients are connected to these meetings, of any organization, now."""
    await connection.execute("SELECT record_contact($1)", list(meeting_ids))


async def ignore_track(connection: Connection, meeting_id: UUID, fence: int, track: str) -> None:
    """Exclude a track, by key, from everything but the audio log. Raises MeetingLost."""
    await check_fence(connection, meeting_id, fence)
    await connection.execute(
        "UPDATE live_meetings SET ignored_tracks = array_append(ignored_tracks, $2)"
        " WHERE meeting_id = $1 AND NOT $2 = ANY(ignored_tracks)",
        meeting_id,
        track,
    )


async def store_tracks(connection: Connection, row: LiveRow, config: dict[str, Any]) -> None:
    """Store the config of a meeting whose tracks have changed. Raises MeetingLost, also for one that is finished."""
    await check_fence(connection, row.meeting_id, row.fence)
    stored = await connection.fetchval(
        "UPDATE live_meetings SET config = $2 WHERE meeting_id = $1 AND NOT finished RETURNING true",
        row.meeting_id,
        config,
    )
    if not stored:
        raise MeetingLost(f"live meeting {row.meeting_id} is finished")


async def store_language(
    connection: Connection, meeting_id: UUID, fence: int, language: str, confidence: float | None
) -> None:
    """Store the most spoken language of an ongoing meeting. Raises MeetingLost.

    Args:
        language: BCP 47 primary tag.
        confidence: 0..1, None if the engine gives none.
    """
    await check_fence(connection, meeting_id, fence)
    await connection.execute(
        "UPDATE meetings SET spoken_language = $2, language_confidence = $3, updated_at = now()"
        " WHERE id = $1 AND status = 'receiving'",
        meeting_id,
        language,
        confidence,
    )


async def finish(connection: Connection, row: LiveRow, size_bytes: int, lease_s: float | None) -> Job | None:
    """End a meeting's audio and create its analysis job, leased to the caller for ``lease_s`` or free for any worker.

    Returns the leased job; None without a lease, or if the meeting was finished before. Raises MeetingLost.
    """
    await check_fence(connection, row.meeting_id, row.fence)
    changed = await connection.fetchrow(
        "UPDATE meetings SET status = 'queued', stage = 'waiting', message = 'Waiting for a free worker',"
        " size_bytes = $2, updated_at = now() WHERE id = $1 AND status = 'receiving' RETURNING id",
        row.meeting_id,
        size_bytes,
    )
    await connection.execute("UPDATE live_meetings SET finished = true WHERE meeting_id = $1", row.meeting_id)
    if changed is None:
        return None
    await webhook_events.add_live(connection, "live.finished", row.meeting_id)
    await connection.execute(
        "INSERT INTO jobs (meeting_id, trace) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        row.meeting_id,
        current_traceparent(),
    )
    if lease_s is None:
        await connection.execute("SELECT pg_notify($1, '')", JOBS_CHANNEL)
        return None
    return await jobs.lease_own(connection, row.meeting_id, timedelta(seconds=lease_s))


async def conclude(connection: Connection, meeting_id: UUID, fence: int) -> None:
    """Record that the last event is stored, and delete superseded turn events. Raises MeetingLost."""
    await check_fence(connection, meeting_id, fence)
    await connection.execute(
        "UPDATE live_meetings SET concluded = true, concluded_at = coalesce(concluded_at, now()), report = NULL,"
        " lease_until = NULL"
        " WHERE meeting_id = $1",
        meeting_id,
    )
    await connection.execute(
        "DELETE FROM live_events e USING (SELECT segment_id, max(event_seq) AS last FROM live_events"
        " WHERE meeting_id = $1 AND segment_id IS NOT NULL GROUP BY segment_id) l"
        " WHERE e.meeting_id = $1 AND e.segment_id = l.segment_id AND e.event_seq < l.last",
        meeting_id,
    )


async def find_unattended(connection: Connection, grace_s: float) -> list[tuple[UUID, UUID]]:
    """Return up to 100 meetings whose client stayed away for ``grace_s``, or whose outcome is unpublished.

    Each as (organization, meeting), of any organization.
    """
    rows = await connection.fetch(
        "SELECT organization_id, meeting_id FROM unattended_live_meetings($1)", timedelta(seconds=grace_s)
    )
    return [(row["organization_id"], row["meeting_id"]) for row in rows]


async def find_recorded(connection: Connection, meeting_id: UUID) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """Return the config and ignored tracks of a live meeting; None for an uploaded recording."""
    row = await connection.fetchrow(
        "SELECT config, ignored_tracks FROM live_meetings WHERE meeting_id = $1", meeting_id
    )
    return (row["config"], tuple(row["ignored_tracks"])) if row else None

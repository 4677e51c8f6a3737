"""Meetings as the API sees them; every query is scoped to an organization or a user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from server.channels import ChannelUse
from server.storage.pool import Connection
from server.storage.speakers import SpeakerRow

JOBS_CHANNEL = "meetra_jobs"


@dataclass(frozen=True, slots=True)
class NewMeeting:
    """A recording that is durable and waits for its analysis."""

    organization_id: UUID
    user_id: UUID
    file_hash: str
    name: str
    held_on: str | None
    n_speakers: int | None
    language: str
    media_type: str
    size_bytes: int
    key_terms: tuple[str, ...] = ()
    channels: ChannelUse | None = None
    """None where it is not stated."""


@dataclass(frozen=True, slots=True)
class MeetingState:
    """Where a meeting is on its way."""

    file_hash: str
    status: str
    stage: str
    progress_percent: int
    message: str
    language: str = ""
    """As it was given, else as it was found; empty while it is not known."""
    language_confidence: float | None = None
    """How sure the engine is of it, 0..1; None where it was given or is not known."""
    speech_found: bool | None = None
    """None until it is known."""
    notice: str = ""
    """What a reader of its answers must know; empty where there is nothing."""


@dataclass(frozen=True, slots=True)
class MeetingAnswer:
    """A meeting's state with one stored answer and its speakers."""

    state: MeetingState
    engine: dict[str, Any] | None
    duration_ms: int | None
    value: dict[str, Any] | None
    definition_version: str
    speakers: tuple[SpeakerRow, ...]


async def accept(connection: Connection, meeting: NewMeeting) -> str:
    """Files a durable recording and owes its analysis; returns the meeting's status.

    The same recording again changes nothing, but that a failed one is queued anew, as it is described now:
    what it failed of may be mended since, in the server or in the description.
    """
    owed = await connection.fetchval(
        "INSERT INTO meetings (id, organization_id, user_id, file_hash, name, held_on, n_speakers, language,"
        " media_type, size_bytes, key_terms, channels, status, stage, message)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'queued', 'waiting', 'Waiting for a free worker')"
        " ON CONFLICT (organization_id, file_hash) DO UPDATE SET status = 'queued', stage = 'waiting',"
        " message = 'Waiting for a free worker', attempts = 0, progress_percent = 0, name = EXCLUDED.name,"
        " held_on = EXCLUDED.held_on, n_speakers = EXCLUDED.n_speakers, language = EXCLUDED.language,"
        " key_terms = EXCLUDED.key_terms, channels = EXCLUDED.channels, media_type = EXCLUDED.media_type,"
        " updated_at = now() WHERE meetings.status = 'failed' RETURNING id",
        uuid4(),
        meeting.organization_id,
        meeting.user_id,
        meeting.file_hash,
        meeting.name,
        meeting.held_on,
        meeting.n_speakers,
        meeting.language,
        meeting.media_type,
        meeting.size_bytes,
        list(meeting.key_terms),
        str(meeting.channels or ChannelUse.MIXED),
    )
    if owed is not None:
        await connection.execute("INSERT INTO jobs (meeting_id) VALUES ($1) ON CONFLICT (meeting_id) DO NOTHING", owed)
        await connection.execute("SELECT pg_notify($1, '')", JOBS_CHANNEL)
        return "queued"
    status: str = await connection.fetchval(
        "SELECT status FROM meetings WHERE organization_id = $1 AND file_hash = $2",
        meeting.organization_id,
        meeting.file_hash,
    )
    return status


async def analysed_channels(connection: Connection, organization_id: UUID, file_hash: str) -> ChannelUse | None:
    """What the channels of a recording are taken for; None where it is not known, or would be analysed anew."""
    found = await connection.fetchval(
        "SELECT channels FROM meetings WHERE organization_id = $1 AND file_hash = $2 AND status <> 'failed'",
        organization_id,
        file_hash,
    )
    return ChannelUse(found) if found else None


async def state_of(connection: Connection, organization_id: UUID, file_hash: str) -> MeetingState | None:
    """The state of an organization's meeting, None where it has none of that hash."""
    row = await connection.fetchrow(
        "SELECT file_hash, status, stage, progress_percent, message, language, spoken_language, language_confidence,"
        " speech_found, notice FROM meetings WHERE organization_id = $1 AND file_hash = $2",
        organization_id,
        file_hash,
    )
    return _state_of(row) if row else None


def _state_of(row: Any) -> MeetingState:
    given, confidence = row["language"], row["language_confidence"]
    return MeetingState(
        row["file_hash"],
        row["status"],
        row["stage"],
        row["progress_percent"],
        row["message"],
        given or row["spoken_language"] or "",
        # Stored in single precision: what was rounded to six places is read so again.
        None if given or confidence is None else round(confidence, 6),
        row["speech_found"],
        row["notice"],
    )


async def ready_id(connection: Connection, organization_id: UUID, file_hash: str) -> UUID | None:
    """The id of an organization's finished meeting, None where it has none of that hash."""
    found: UUID | None = await connection.fetchval(
        "SELECT id FROM meetings WHERE organization_id = $1 AND file_hash = $2 AND status = 'ready'",
        organization_id,
        file_hash,
    )
    return found


_ANSWER = """
SELECT m.file_hash, m.status, m.stage, m.progress_percent, m.message, m.notice, m.engine, m.duration_ms, i.value,
       coalesce(i.definition_version, '') AS definition_version,
       (SELECT coalesce(json_agg(json_build_array(s.label, s.id, s.alias, s.alias_source, s.alias_confidence)
                               ORDER BY s.label), '[]')
          FROM speakers s WHERE s.meeting_id = m.id AND s.active) AS speakers
  FROM meetings m LEFT JOIN insights i ON i.meeting_id = m.id AND i.family = $1
"""


async def answer(connection: Connection, organization_id: UUID, file_hash: str, family: str) -> MeetingAnswer | None:
    """One stored answer of an organization's meeting with its speakers, in one query."""
    row = await connection.fetchrow(
        _ANSWER + " WHERE m.organization_id = $2 AND m.file_hash = $3", family, organization_id, file_hash
    )
    return _answer_of(row) if row else None


async def conversation(connection: Connection, meeting_id: UUID) -> dict[str, Any]:
    """The folded conversation of a finished meeting."""
    document: dict[str, Any] = await connection.fetchval(
        "SELECT document FROM conversations WHERE meeting_id = $1", meeting_id
    )
    return document


async def latest_answer(connection: Connection, user_id: UUID, family: str) -> MeetingAnswer | None:
    """The same of the meeting that a user uploaded last."""
    row = await connection.fetchrow(
        _ANSWER + " WHERE m.user_id = $2 ORDER BY m.created_at DESC LIMIT 1", family, user_id
    )
    return _answer_of(row) if row else None


def _answer_of(row: Any) -> MeetingAnswer:
    told = ("file_hash", "status", "stage", "progress_percent", "message", "notice")
    state = MeetingState(**{name: row[name] for name in told})
    speakers = tuple(SpeakerRow(label, UUID(id_), *names) for label, id_, *names in row["speakers"])
    return MeetingAnswer(state, row["engine"], row["duration_ms"], row["value"], row["definition_version"], speakers)


@dataclass(frozen=True, slots=True)
class ListedMeeting:
    """A meeting in a list."""

    id: UUID
    file_hash: str
    name: str
    held_on: str | None
    status: str
    duration_ms: int | None
    speakers: int
    created_at: datetime


async def page(
    connection: Connection, organization_id: UUID, size: int, after: tuple[datetime, UUID] | None
) -> list[ListedMeeting]:
    """Up to ``size`` meetings of an organization, the newest first, from after ``after`` (created_at, id)."""
    rows = await connection.fetch(
        "SELECT m.id, m.file_hash, m.name, m.held_on, m.status, m.duration_ms, m.created_at,"
        " (SELECT count(*) FROM speakers s WHERE s.meeting_id = m.id AND s.active)::integer AS speakers"
        " FROM meetings m WHERE m.organization_id = $1"
        " AND ($3::timestamptz IS NULL OR (m.created_at, m.id) < ($3, $4::uuid))"
        " ORDER BY m.created_at DESC, m.id DESC LIMIT $2",
        organization_id,
        size,
        *(after or (None, None)),
    )
    return [ListedMeeting(**row) for row in rows]


async def lock_recording(connection: Connection, organization_id: UUID, file_hash: str) -> None:
    """Until the transaction ends nobody else files or removes this recording."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{organization_id}/{file_hash}")


async def exists(connection: Connection, organization_id: UUID, file_hash: str) -> bool:
    """Whether the organization has the meeting, in whatever state."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM meetings WHERE organization_id = $1 AND file_hash = $2)", organization_id, file_hash
    )
    return found


async def known(connection: Connection, recordings: Sequence[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Which of the recordings (organization, hash) a meeting names."""
    rows = await connection.fetch(
        "SELECT organization_id, file_hash FROM meetings WHERE (organization_id, file_hash) IN"
        " (SELECT * FROM unnest($1::uuid[], $2::text[]))",
        [organization_id for organization_id, _ in recordings],
        [file_hash for _, file_hash in recordings],
    )
    return {(UUID(str(row["organization_id"])), row["file_hash"]) for row in rows}


async def delete(connection: Connection, organization_id: UUID, file_hash: str) -> bool:
    """Removes a meeting with everything known of it; False where there is none."""
    deleted = await connection.execute(
        "DELETE FROM meetings WHERE organization_id = $1 AND file_hash = $2", organization_id, file_hash
    )
    return bool(deleted != "DELETE 0")

"""Meetings as the API shows them; queries are scoped to an organization or user."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from monitoring import current_traceparent
from server.channels import ChannelUse
from server.consent import Consent
from server.conversation import RedactionKind, format_redaction_kinds, parse_redaction_kinds
from server.storage import consents
from server.storage.pool import Connection
from server.storage.speakers import SpeakerRow

JOBS_CHANNEL = "meetra_jobs"


@dataclass(frozen=True, slots=True)
class NewMeeting:
    """A durable recording to be queued for analysis."""

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
    """None if not stated."""
    consents: tuple[Consent, ...] = ()
    redact: frozenset[RedactionKind] = frozenset()
    key_id: UUID | None = None
    """Of the API key with which it was uploaded; None: of none."""


@dataclass(frozen=True, slots=True)
class MeetingState:
    """The processing state of a meeting."""

    file_hash: str
    status: str
    stage: str
    progress_percent: int
    message: str
    language: str = ""
    """The stated language, else the detected one; empty while unknown."""
    language_confidence: float | None = None
    """The engine's confidence in a detected language, 0..1; None if it was stated or is unknown."""
    speech_found: bool | None = None
    """None until it is known."""
    notice: str = ""
    """What a reader of the answers must know; empty if nothing."""
    redact: str = ""
    """Kinds that are redacted, separated by commas; empty if none."""
    name: str = ""
    held_on: str | None = None
    duration_ms: int | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MeetingAnswer:
    """A meeting's state with one stored answer and the speakers."""

    state: MeetingState
    engine: dict[str, Any] | None
    duration_ms: int | None
    value: dict[str, Any] | None
    definition_version: str
    speakers: tuple[SpeakerRow, ...]
    transcript_deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AnalysisChoices:
    """What was chosen for the analysis of a recording, and is not changed by uploading it again."""

    channels: ChannelUse
    redact: frozenset[RedactionKind]


async def accept(connection: Connection, meeting: NewMeeting) -> str:
    """Store a durable recording, queue its analysis, and return the meeting's status.

    A known recording is left unchanged, except that a failed one is queued again with the new details, as its latest
    uploader's: the cause of the failure may be fixed since, in the server or in the details. Its days of retention
    begin again. A deletion that waits is called off.
    """
    await connection.execute(
        "UPDATE meetings SET delete_at = NULL, delete_user_id = NULL"
        " WHERE organization_id = $1 AND file_hash = $2 AND delete_at IS NOT NULL",
        meeting.organization_id,
        meeting.file_hash,
    )
    queued_id = await connection.fetchval(
        "INSERT INTO meetings (id, organization_id, user_id, file_hash, name, held_on, n_speakers, language,"
        " media_type, size_bytes, key_terms, channels, redact, key_id, status, stage, message)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'queued', 'waiting',"
        " 'Waiting for a free worker')"
        " ON CONFLICT (organization_id, file_hash) DO UPDATE SET status = 'queued', stage = 'waiting',"
        " message = 'Waiting for a free worker', attempts = 0, counted_ms = 0, progress_percent = 0,"
        " name = EXCLUDED.name, held_on = EXCLUDED.held_on, n_speakers = EXCLUDED.n_speakers,"
        " language = EXCLUDED.language, key_terms = EXCLUDED.key_terms, channels = EXCLUDED.channels,"
        " redact = EXCLUDED.redact, user_id = EXCLUDED.user_id, key_id = EXCLUDED.key_id,"
        " media_type = EXCLUDED.media_type, size_bytes = EXCLUDED.size_bytes,"
        " created_at = now(), audio_deleted_at = NULL, transcript_deleted_at = NULL,"
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
        format_redaction_kinds(meeting.redact),
        meeting.key_id,
    )
    if queued_id is not None:
        if meeting.consents:
            await consents.replace(connection, meeting.organization_id, queued_id, meeting.user_id, meeting.consents)
        await connection.execute(
            "INSERT INTO jobs (meeting_id, trace) VALUES ($1, $2) ON CONFLICT (meeting_id) DO NOTHING",
            queued_id,
            current_traceparent(),
        )
        await connection.execute("SELECT pg_notify($1, '')", JOBS_CHANNEL)
        return "queued"
    status: str = await connection.fetchval(
        "SELECT status FROM meetings WHERE organization_id = $1 AND file_hash = $2",
        meeting.organization_id,
        meeting.file_hash,
    )
    return status


async def find_analysis(connection: Connection, organization_id: UUID, file_hash: str) -> AnalysisChoices | None:
    """Return how a recording was analysed, or will be; None if it is unknown or failed."""
    row = await connection.fetchrow(
        "SELECT channels, redact FROM meetings WHERE organization_id = $1 AND file_hash = $2 AND status <> 'failed'",
        organization_id,
        file_hash,
    )
    return AnalysisChoices(ChannelUse(row["channels"]), parse_redaction_kinds(row["redact"])) if row else None


async def find_redacted_ranges(connection: Connection, organization_id: UUID, file_hash: str) -> list[list[int]]:
    """Return what is silent wherever audio of the meeting is handed out: [start, end] in milliseconds, in time order.

    Whoever hands out audio must apply it: ``server.redaction.silence_ranges``. Empty until the meeting is ready.
    """
    found: list[list[int]] | None = await connection.fetchval(
        "SELECT redacted_ranges FROM meetings WHERE organization_id = $1 AND file_hash = $2", organization_id, file_hash
    )
    return found or []


async def add_redacted_ranges(
    connection: Connection, organization_id: UUID, file_hash: str, added: Iterable[tuple[int, int]]
) -> None:
    """Have more of a meeting's audio silenced, [start, end] in milliseconds; what was silenced stays so."""
    spans = [*await find_redacted_ranges(connection, organization_id, file_hash), *map(list, added)]
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    await connection.execute(
        "UPDATE meetings SET redacted_ranges = $3 WHERE organization_id = $1 AND file_hash = $2"
        " AND redacted_ranges <> $3",
        organization_id,
        file_hash,
        merged,
    )


async def find_state(connection: Connection, organization_id: UUID, file_hash: str) -> MeetingState | None:
    """Return the state of an organization's meeting, or None."""
    row = await connection.fetchrow(
        "SELECT file_hash, status, stage, progress_percent, message, language, spoken_language, language_confidence,"
        " speech_found, notice, redact, name, held_on, duration_ms, created_at FROM meetings"
        " WHERE organization_id = $1 AND file_hash = $2",
        organization_id,
        file_hash,
    )
    return _to_state(row) if row else None


def _to_state(row: Any) -> MeetingState:
    stated, confidence = row["language"], row["language_confidence"]
    return MeetingState(
        row["file_hash"],
        row["status"],
        row["stage"],
        row["progress_percent"],
        row["message"],
        stated_or_spoken(stated, row["spoken_language"]),
        # The column is single precision; rounding restores the six decimals that were stored.
        None if stated or confidence is None else round(confidence, 6),
        row["speech_found"],
        row["notice"],
        row["redact"],
        row["name"],
        row["held_on"],
        row["duration_ms"],
        row["created_at"],
    )


def stated_or_spoken(stated: str, spoken: str | None) -> str:
    """Return the language of a meeting as callers see it: as stated, else as detected; empty while unknown."""
    return stated or spoken or ""


async def find_id(connection: Connection, organization_id: UUID, file_hash: str) -> UUID | None:
    """Return the id of an organization's meeting in any state, or None."""
    found: UUID | None = await connection.fetchval(
        "SELECT id FROM meetings WHERE organization_id = $1 AND file_hash = $2", organization_id, file_hash
    )
    return found


async def find_ready_id(connection: Connection, organization_id: UUID, file_hash: str) -> UUID | None:
    """Return the id of an organization's finished meeting, or None."""
    found: UUID | None = await connection.fetchval(
        "SELECT id FROM meetings WHERE organization_id = $1 AND file_hash = $2 AND status = 'ready'",
        organization_id,
        file_hash,
    )
    return found


async def find_redaction(connection: Connection, organization_id: UUID, meeting_id: UUID) -> str:
    """Return the kinds that are redacted in a meeting, separated by commas; empty if none, or without the meeting."""
    redact: str | None = await connection.fetchval(
        "SELECT redact FROM meetings WHERE organization_id = $1 AND id = $2", organization_id, meeting_id
    )
    return redact or ""


_ANSWER = """
SELECT m.file_hash, m.status, m.stage, m.progress_percent, m.message, m.notice, m.engine, m.duration_ms, i.value,
       m.transcript_deleted_at,
       coalesce(i.definition_version, '') AS definition_version,
       (SELECT coalesce(json_agg(json_build_array(s.label, s.id, s.alias, s.alias_source, s.alias_confidence)
                               ORDER BY s.label), '[]')
          FROM speakers s WHERE s.meeting_id = m.id AND s.active) AS speakers
  FROM meetings m LEFT JOIN insights i ON i.meeting_id = m.id AND i.family = $1
"""


async def find_answer(
    connection: Connection, organization_id: UUID, file_hash: str, family: str
) -> MeetingAnswer | None:
    """Return one stored answer of an organization's meeting with its speakers, or None, in one query."""
    row = await connection.fetchrow(
        _ANSWER + " WHERE m.organization_id = $2 AND m.file_hash = $3", family, organization_id, file_hash
    )
    return _to_answer(row) if row else None


async def load_conversation(connection: Connection, meeting_id: UUID) -> dict[str, Any]:
    """Return the folded conversation of a finished meeting."""
    document: dict[str, Any] = await connection.fetchval(
        "SELECT document FROM conversations WHERE meeting_id = $1", meeting_id
    )
    return document


async def find_latest_answer(connection: Connection, user_id: UUID, family: str) -> MeetingAnswer | None:
    """As ``find_answer``, for the user's most recently created meeting."""
    row = await connection.fetchrow(
        _ANSWER + " WHERE m.user_id = $2 ORDER BY m.created_at DESC LIMIT 1", family, user_id
    )
    return _to_answer(row) if row else None


def _to_answer(row: Any) -> MeetingAnswer:
    state_columns = ("file_hash", "status", "stage", "progress_percent", "message", "notice")
    state = MeetingState(**{name: row[name] for name in state_columns})
    speakers = tuple(SpeakerRow(label, UUID(id_), *names) for label, id_, *names in row["speakers"])
    return MeetingAnswer(
        state,
        row["engine"],
        row["duration_ms"],
        row["value"],
        row["definition_version"],
        speakers,
        row["transcript_deleted_at"],
    )


async def lock_recording(connection: Connection, organization_id: UUID, file_hash: str) -> None:
    """Serialise storing and deleting of a recording until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{organization_id}/{file_hash}")


async def try_lock_recording(connection: Connection, organization_id: UUID, file_hash: str) -> bool:
    """As ``lock_recording``, but return False at once where another transaction has the lock."""
    locked: bool = await connection.fetchval(
        "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))", f"{organization_id}/{file_hash}"
    )
    return locked


async def keeps_audio(connection: Connection, organization_id: UUID, file_hash: str) -> bool:
    """Return whether the organization has the meeting, and its audio is not deleted."""
    keeps: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM meetings WHERE organization_id = $1 AND file_hash = $2"
        " AND audio_deleted_at IS NULL)",
        organization_id,
        file_hash,
    )
    return keeps


async def is_done(connection: Connection, organization_id: UUID, file_hash: str) -> bool:
    """Return whether nobody will analyse the recording: its meeting is ready, failed, or gone."""
    working: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM meetings WHERE organization_id = $1 AND file_hash = $2"
        " AND status NOT IN ('ready', 'failed'))",
        organization_id,
        file_hash,
    )
    return not working


async def exists(connection: Connection, organization_id: UUID, file_hash: str) -> bool:
    """Return whether the organization has the meeting, in any state."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM meetings WHERE organization_id = $1 AND file_hash = $2)", organization_id, file_hash
    )
    return found


async def find_existing(connection: Connection, recordings: Sequence[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Return the recordings (organization, hash), of any organization, that have a meeting."""
    rows = await connection.fetch(
        "SELECT organization_id, file_hash FROM existing_recordings($1, $2)",
        [organization_id for organization_id, _ in recordings],
        [file_hash for _, file_hash in recordings],
    )
    return {(UUID(str(row["organization_id"])), row["file_hash"]) for row in rows}


async def find_keeping_audio(connection: Connection, organization_id: UUID, file_hashes: Sequence[str]) -> set[str]:
    """Return the hashes among ``file_hashes`` whose meetings the organization has, with their audio."""
    rows = await connection.fetch(
        "SELECT file_hash FROM meetings WHERE organization_id = $1 AND file_hash = ANY($2)"
        " AND audio_deleted_at IS NULL",
        organization_id,
        list(file_hashes),
    )
    return {row["file_hash"] for row in rows}


async def delete(connection: Connection, organization_id: UUID, file_hash: str) -> bool:
    """Delete a meeting with all its data; return False if there is none."""
    deleted = await connection.execute(
        "DELETE FROM meetings WHERE organization_id = $1 AND file_hash = $2", organization_id, file_hash
    )
    return bool(deleted != "DELETE 0")

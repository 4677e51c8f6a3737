"""What an export reads beside what the API shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.storage.meeting_lists import LISTED_COLUMNS, ListedMeeting, to_listed
from server.storage.meetings import find_redacted_ranges
from server.storage.pool import Connection

HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class ExportedMeeting:
    """A meeting with how it was uploaded or held."""

    listed: ListedMeeting
    media_type: str
    size_bytes: int
    n_speakers: int | None
    language: str
    """As it was stated."""
    key_terms: tuple[str, ...]
    channels: str
    user_id: UUID | None
    live_config: dict[str, Any] | None
    ignored_tracks: tuple[str, ...]
    """Keys of a live meeting's tracks that were not analysed: duplicates of others."""
    corrections: list[dict[str, Any]]
    redact: str
    """Kinds that are redacted, separated by commas; empty if none."""
    redacted_ranges: list[list[int]]
    """What is silent wherever audio is handed out: [start, end] in milliseconds. Empty until the meeting is ready."""
    speech_found: bool | None
    notice: str
    audio_deleted_at: datetime | None
    """When retention deleted the audio."""

    @property
    def words_known(self) -> bool:
        """Whether it is known, of a meeting that is ready, what was said in it, and so what is to be redacted."""
        # The notice of a meeting with speech is that there are no words.
        return self.speech_found is not None and not (self.speech_found and self.notice)


async def list_hashes(connection: Connection, organization_id: UUID) -> bytes:
    """Return the hashes of all meetings, 32 bytes each, newest first."""
    hashes = bytearray()
    async for row in connection.cursor(
        "SELECT file_hash FROM meetings WHERE organization_id = $1 ORDER BY created_at DESC, id DESC", organization_id
    ):
        hashes += bytes.fromhex(row["file_hash"])
    return bytes(hashes)


async def find_meeting(connection: Connection, organization_id: UUID, file_hash: str) -> ExportedMeeting | None:
    """Return a meeting, or None."""
    row = await connection.fetchrow(
        f"SELECT {LISTED_COLUMNS}, m.media_type,"  # noqa: S608 - our columns
        " m.size_bytes, m.n_speakers, m.key_terms, m.channels, m.user_id, l.config, l.ignored_tracks,"
        " m.redact, m.speech_found, m.notice, m.audio_deleted_at,"
        " (SELECT coalesce(jsonb_agg(jsonb_build_object('edit', e.document - 'vector', 'made_at', e.made_at,"
        " 'user_id', e.user_id, 'undone', e.undone) ORDER BY e.number), '[]') FROM speaker_edits e"
        " WHERE e.meeting_id = m.id) AS corrections"
        " FROM meetings m LEFT JOIN live_meetings l ON l.meeting_id = m.id"
        " WHERE m.organization_id = $1 AND m.file_hash = $2",
        organization_id,
        file_hash,
    )
    if row is None:
        return None
    return ExportedMeeting(
        to_listed(row),
        row["media_type"],
        row["size_bytes"],
        row["n_speakers"],
        row["language"],
        tuple(row["key_terms"]),
        row["channels"],
        row["user_id"],
        row["config"],
        tuple(row["ignored_tracks"] or ()),
        row["corrections"],
        row["redact"],
        await find_redacted_ranges(connection, organization_id, file_hash),
        row["speech_found"],
        row["notice"],
        row["audio_deleted_at"],
    )

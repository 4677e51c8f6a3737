"""Names given by hand to speakers of live meetings that are still running.

Each is a row of ``speakers`` that is not active. Numbers may change at the end: the analysis then finds out whose name
it is, and stores it with the speakers of the finished meeting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from server.storage.pool import Connection
from server.storage.speakers import speaker_id

# More labels than the voices of a track can have: an id of a live speaker is one of so many for each track.
LABELS_PER_TRACK = 64


class LiveSpeaker(NamedTuple):
    """A speaker of a running meeting."""

    meeting_id: UUID
    label: int
    redact: str = ""
    """Kinds that are redacted in the meeting, separated by commas."""


async def find(connection: Connection, organization_id: UUID, id_: UUID, file_hash: str | None) -> LiveSpeaker | None:
    """Return the speaker with this id of one of the organization's running live meetings, told in a turn; or None.

    Args:
        file_hash: if given, of this meeting.
    """
    rows = await connection.fetch(
        "SELECT m.id, m.redact, coalesce(jsonb_array_length(l.config->'tracks'), 1) AS tracks FROM meetings m"
        " JOIN live_meetings l ON l.meeting_id = m.id"
        " WHERE m.organization_id = $1 AND m.status = 'receiving' AND ($2::text IS NULL OR m.file_hash = $2)",
        organization_id,
        file_hash,
    )
    for row in rows:
        for label in range(1, LABELS_PER_TRACK * row["tracks"] + 1):
            if speaker_id(row["id"], label) == id_:
                speaker = LiveSpeaker(row["id"], label, row["redact"])
                return speaker if await _was_told(connection, row["id"], id_) else None
    return None


async def _was_told(connection: Connection, meeting_id: UUID, id_: UUID) -> bool:
    told: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM live_events WHERE meeting_id = $1 AND segment_id IS NOT NULL"
        " AND position($2::bytea IN payload) > 0)",
        meeting_id,
        str(id_).encode(),
    )
    return told


async def give(connection: Connection, speaker: LiveSpeaker, alias: str) -> bool:
    """Name a speaker; return False if the meeting has ended meanwhile."""
    running = await connection.fetchval(
        "SELECT true FROM meetings WHERE id = $1 AND status = 'receiving' FOR UPDATE", speaker.meeting_id
    )
    if not running:
        return False
    await connection.execute(
        "INSERT INTO speakers (id, meeting_id, label, alias, alias_source, active)"
        " VALUES ($1, $2, $3, $4, 'hand', false) ON CONFLICT (id) DO UPDATE SET alias = excluded.alias",
        speaker_id(speaker.meeting_id, speaker.label),
        speaker.meeting_id,
        speaker.label,
        alias,
    )
    return True


async def given(connection: Connection, meeting_ids: Sequence[UUID]) -> dict[UUID, dict[int, str]]:
    """Return the names given so far in the organization's meetings that are not ready: by meeting and label."""
    rows = await connection.fetch(
        "SELECT s.meeting_id, s.label, s.alias FROM speakers s JOIN meetings m ON m.id = s.meeting_id"
        " WHERE s.meeting_id = ANY($1) AND s.alias_source = 'hand' AND NOT s.active AND m.status <> 'ready'",
        meeting_ids,
    )
    names: defaultdict[UUID, dict[int, str]] = defaultdict(dict)
    for row in rows:
        names[row["meeting_id"]][row["label"]] = row["alias"]
    return dict(names)


async def last_turns(connection: Connection, meeting_id: UUID) -> list[bytes]:
    """Return the payloads of the last turn event of each segment of a live meeting."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (segment_id) payload FROM live_events WHERE meeting_id = $1 AND segment_id IS NOT NULL"
        " ORDER BY segment_id, event_seq DESC",
        meeting_id,
    )
    return [row["payload"] for row in rows]


async def take_back(connection: Connection, meeting_id: UUID, labels: Sequence[int]) -> None:
    """Delete the names given by hand to speakers of a running meeting, by label: they are called differently now."""
    await connection.execute(
        "DELETE FROM speakers WHERE meeting_id = $1 AND label = ANY($2) AND alias_source = 'hand' AND NOT active",
        meeting_id,
        list(labels),
    )


async def forget(connection: Connection, meeting_id: UUID) -> None:
    """Delete the names given while the meeting ran, before its speakers are stored."""
    await connection.execute("DELETE FROM speakers WHERE meeting_id = $1 AND NOT active", meeting_id)

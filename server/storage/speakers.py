"""Speakers of meetings, and the manual corrections of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from server.storage.pool import Connection


def speaker_id(meeting_id: UUID, label: int) -> UUID:
    """Return the UUID of a meeting's speaker; it is stable across analyses."""
    return uuid5(meeting_id, f"speaker-{label}")


@dataclass(frozen=True, slots=True)
class SpeakerRow:
    """A speaker of a meeting."""

    label: int
    id: UUID
    alias: str
    alias_source: str = "number"
    alias_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class FoundSpeaker:
    """A speaker with their meeting."""

    meeting_id: UUID
    file_hash: str
    label: int
    redact: str
    """Kinds that are redacted in the meeting, separated by commas."""


@dataclass(frozen=True, slots=True)
class EditRow:
    """A correction in the history of a meeting."""

    number: int
    document: dict[str, Any]
    """The edit as JSON-compatible values."""
    user_id: UUID | None
    """Who made it; None if the user was deleted."""
    made_at: datetime
    undone: bool
    can_redo: bool
    """Whether a redo makes it once more."""


async def find(connection: Connection, organization_id: UUID, id_: UUID) -> FoundSpeaker | None:
    """Return an organization's active speaker, or None."""
    row = await connection.fetchrow(
        "SELECT s.meeting_id, m.file_hash, s.label, m.redact FROM speakers s JOIN meetings m ON m.id = s.meeting_id"
        " WHERE s.id = $1 AND m.organization_id = $2 AND s.active",
        id_,
        organization_id,
    )
    return FoundSpeaker(**row) if row else None


async def rename(connection: Connection, id_: UUID, alias: str) -> bool:
    """Rename a speaker and their recognised voice; return False if there is no such speaker."""
    renamed = await connection.fetchrow(
        "UPDATE speakers SET alias = $2, alias_source = 'hand', alias_confidence = NULL WHERE id = $1"
        " RETURNING voice_id",
        id_,
        alias,
    )
    if renamed is not None and renamed["voice_id"] is not None:
        await connection.execute("UPDATE voices SET name = $2 WHERE id = $1", renamed["voice_id"], alias)
    return renamed is not None


async def store(connection: Connection, meeting_id: UUID, speakers: Sequence[SpeakerRow]) -> None:
    """Insert a meeting's speakers; known ones keep their names."""
    await connection.executemany(
        "INSERT INTO speakers (id, meeting_id, label, alias, alias_source, alias_confidence)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        [(s.id, meeting_id, s.label, s.alias, s.alias_source, s.alias_confidence) for s in speakers],
    )


async def activate(connection: Connection, meeting_id: UUID, labels: Sequence[int]) -> None:
    """Activate exactly these labels as the meeting's speakers; new ones are named by number."""
    await store(
        connection,
        meeting_id,
        [SpeakerRow(label, speaker_id(meeting_id, label), f"Speaker {label}") for label in labels],
    )
    await connection.execute(
        "UPDATE speakers SET active = (label = ANY($2::integer[])) WHERE meeting_id = $1", meeting_id, list(labels)
    )


async def find_highest_label(connection: Connection, meeting_id: UUID) -> int:
    """Return the highest label that the meeting ever had; 0 if none."""
    highest: int = await connection.fetchval(
        "SELECT coalesce(max(label), 0) FROM speakers WHERE meeting_id = $1", meeting_id
    )
    return highest


async def lock_conversation(connection: Connection, meeting_id: UUID) -> dict[str, Any] | None:
    """Lock a meeting against other corrections until the transaction ends, and return its conversation document.

    Returns None if the meeting was deleted.
    """
    await connection.execute("SELECT 1 FROM meetings WHERE id = $1 FOR UPDATE", meeting_id)
    document: dict[str, Any] | None = await connection.fetchval(
        "SELECT document FROM conversations WHERE meeting_id = $1", meeting_id
    )
    return document


async def list_edits(connection: Connection, meeting_id: UUID) -> list[dict[str, Any]]:
    """Return the corrections in force, oldest first."""
    rows = await connection.fetch(
        "SELECT document FROM speaker_edits WHERE meeting_id = $1 AND NOT undone ORDER BY number", meeting_id
    )
    return [row["document"] for row in rows]


async def add_edit(connection: Connection, meeting_id: UUID, user_id: UUID, document: dict[str, Any]) -> None:
    """Append a correction; what is undone by now cannot be redone any more."""
    await connection.execute(
        "UPDATE speaker_edits SET superseded = true WHERE meeting_id = $1 AND undone AND NOT superseded", meeting_id
    )
    await connection.execute(
        "INSERT INTO speaker_edits (meeting_id, number, document, user_id)"
        " SELECT $1, coalesce(max(number), 0) + 1, $2, $3 FROM speaker_edits WHERE meeting_id = $1",
        meeting_id,
        document,
        user_id,
    )


async def find_highest_edit(connection: Connection, meeting_id: UUID) -> int:
    """Return the number of the last correction ever made; 0 if none."""
    highest: int = await connection.fetchval(
        "SELECT coalesce(max(number), 0) FROM speaker_edits WHERE meeting_id = $1", meeting_id
    )
    return highest


async def find_latest_edit(connection: Connection, meeting_id: UUID) -> int | None:
    """Return the number of the latest correction in force, or None."""
    latest: int | None = await connection.fetchval(
        "SELECT max(number) FROM speaker_edits WHERE meeting_id = $1 AND NOT undone", meeting_id
    )
    return latest


async def find_next_redo(connection: Connection, meeting_id: UUID) -> int | None:
    """Return the number of the correction that a redo makes once more, or None.

    Corrections are undone from the latest on: of those that can be redone, the earliest was undone last.
    """
    following: int | None = await connection.fetchval(
        "SELECT min(number) FROM speaker_edits WHERE meeting_id = $1 AND undone AND NOT superseded", meeting_id
    )
    return following


async def redo_edit(connection: Connection, meeting_id: UUID, number: int) -> None:
    """Make an undone correction once more."""
    await connection.execute(
        "UPDATE speaker_edits SET undone = false WHERE meeting_id = $1 AND number = $2", meeting_id, number
    )


async def undo_edit(connection: Connection, meeting_id: UUID, number: int) -> None:
    """Undo a correction."""
    await connection.execute(
        "UPDATE speaker_edits SET undone = true WHERE meeting_id = $1 AND number = $2", meeting_id, number
    )


async def list_history(connection: Connection, meeting_id: UUID, limit: int, before: int | None) -> tuple[EditRow, ...]:
    """Return at most ``limit`` corrections, the latest first, undone ones included.

    Args:
        before: the number that all are below; None: any.
    """
    rows = await connection.fetch(
        "SELECT number, document, user_id, made_at, undone, undone AND number = (SELECT min(number) FROM speaker_edits"
        " WHERE meeting_id = $1 AND undone AND NOT superseded) IS TRUE AS can_redo"
        " FROM speaker_edits WHERE meeting_id = $1 AND ($3::integer IS NULL OR number < $3)"
        " ORDER BY number DESC LIMIT $2",
        meeting_id,
        limit,
        before,
    )
    return tuple(EditRow(**row) for row in rows)


async def list_active(connection: Connection, meeting_id: UUID) -> tuple[SpeakerRow, ...]:
    """Return the meeting's active speakers, in label order."""
    return await _list(connection, meeting_id, inactive=False)


async def list_all(connection: Connection, meeting_id: UUID) -> tuple[SpeakerRow, ...]:
    """Return all speakers that the meeting ever had, in label order."""
    return await _list(connection, meeting_id, inactive=True)


async def _list(connection: Connection, meeting_id: UUID, *, inactive: bool) -> tuple[SpeakerRow, ...]:
    rows = await connection.fetch(
        # Stored in single precision; by way of numeric, 0.9 stays 0.9 in double precision.
        "SELECT label, id, alias, alias_source, alias_confidence::numeric::float8 AS alias_confidence FROM speakers"
        " WHERE meeting_id = $1 AND (active OR $2) ORDER BY label",
        meeting_id,
        inactive,
    )
    return tuple(SpeakerRow(**row) for row in rows)

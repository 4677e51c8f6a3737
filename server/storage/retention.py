"""What the retention of organizations has deleted, and what it is about to delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.storage.pool import Connection

PARTS = ("audio", "transcript", "meeting")


@dataclass(frozen=True, slots=True)
class ExpiredPart:
    """A part of a meeting that is due to be deleted."""

    organization_id: UUID
    file_hash: str
    part: str
    """Of ``PARTS``."""


@dataclass(frozen=True, slots=True)
class MeetingPart:
    """A part of a meeting that is kept, or was deleted."""

    part: str
    """Of ``PARTS``."""
    due_at: datetime | None
    """When it is to be deleted, by the policy as it is now; None: never."""
    deleted_at: datetime | None


async def find_expired(connection: Connection, most: int) -> list[ExpiredPart]:
    """Return parts of meetings at rest that are due, at most ``most`` of each organization."""
    rows = await connection.fetch("SELECT * FROM expired_parts($1)", most)
    return [ExpiredPart(**row) for row in rows]


async def lock_expired(connection: Connection, expired: ExpiredPart) -> UUID | None:
    """Lock the meeting of an expired part until the transaction ends, and return its id.

    Returns None if the part is not due any more, or somebody works on the meeting: it is not waited for.
    """
    free = await connection.fetchval(
        "SELECT true FROM meetings WHERE organization_id = $1 AND file_hash = $2 FOR UPDATE SKIP LOCKED",
        expired.organization_id,
        expired.file_hash,
    )
    if not free:
        return None
    # A statement of its own, which sees what was committed before the lock was had.
    found: UUID | None = await connection.fetchval(
        "SELECT meeting_id FROM meeting_parts WHERE organization_id = $1 AND file_hash = $2 AND part = $3"
        " AND due_at <= now() AND deleted_at IS NULL AND at_rest",
        expired.organization_id,
        expired.file_hash,
        expired.part,
    )
    return found


async def delete_audio(connection: Connection, organization_id: UUID, meeting_id: UUID) -> dict[str, int]:
    """Record that a meeting's audio is deleted; its files are the caller's. Return the deleted rows by table: none."""
    await connection.execute(
        "UPDATE meetings SET audio_deleted_at = now(), size_bytes = 0 WHERE organization_id = $1 AND id = $2",
        organization_id,
        meeting_id,
    )
    await _fence_out(connection, organization_id, meeting_id)
    return {}


async def delete_transcript(
    connection: Connection, organization_id: UUID, meeting_id: UUID, families: Sequence[str]
) -> dict[str, int]:
    """Delete what was said in a meeting; return the deleted rows by table.

    Args:
        families: those of the stored answers that quote it.
    """
    deleted = {}
    for table, condition, values in (
        ("conversations", "", ()),
        ("insights", " AND family = ANY($3::text[])", (list(families),)),
        ("live_events", "", ()),
        ("search_meetings", "", ()),
        ("search_sentences", "", ()),
        ("speaker_edits", "", ()),
        # They quote what was said.
        ("webhook_events", " AND type = 'alert'", ()),
    ):
        said = await connection.execute(
            f"DELETE FROM {table} WHERE organization_id = $1 AND meeting_id = $2{condition}",  # noqa: S608 - our names
            organization_id,
            meeting_id,
            *values,
        )
        if count := int(said.removeprefix("DELETE ")):
            deleted[table] = count
    await connection.execute(
        "UPDATE meetings SET transcript_deleted_at = now() WHERE organization_id = $1 AND id = $2",
        organization_id,
        meeting_id,
    )
    await _fence_out(connection, organization_id, meeting_id)
    return deleted


async def _fence_out(connection: Connection, organization_id: UUID, meeting_id: UUID) -> None:
    """Let processes that still show a live meeting find out that it changed."""
    await connection.execute(
        "UPDATE live_meetings SET fence = fence + 1 WHERE organization_id = $1 AND meeting_id = $2",
        organization_id,
        meeting_id,
    )


async def find_parts(connection: Connection, organization_id: UUID, file_hash: str) -> list[MeetingPart]:
    """Return the parts of a meeting, in the order of ``PARTS``; none if there is no such meeting."""
    rows = await connection.fetch(
        "SELECT part, due_at, deleted_at FROM meeting_parts WHERE organization_id = $1 AND file_hash = $2"
        " ORDER BY array_position($3::text[], part)",
        organization_id,
        file_hash,
        list(PARTS),
    )
    return [MeetingPart(**row) for row in rows]


async def find_deleted(
    connection: Connection, organization_id: UUID, meeting_id: UUID
) -> tuple[datetime | None, datetime | None]:
    """Return when a meeting's audio and its transcript were deleted, each None if it was not."""
    row = await connection.fetchrow(
        "SELECT audio_deleted_at, transcript_deleted_at FROM meetings WHERE organization_id = $1 AND id = $2",
        organization_id,
        meeting_id,
    )
    return (row["audio_deleted_at"], row["transcript_deleted_at"]) if row else (None, None)

"""Deleted meetings and parts of them: a receipt each, without anything of the meeting.

A receipt is written in the transaction that deletes the rows; the files go after it, and then the receipt says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from server.storage.pool import Connection

# Tables with rows of a meeting, all of which go with it.
MEETING_TABLES = (
    "consents",
    "conversations",
    "insights",
    "jobs",
    "live_events",
    "live_meetings",
    "meeting_names",
    "search_meetings",
    "search_sentences",
    "speaker_edits",
    "speakers",
    "webhook_events",
)
_COUNT = "(SELECT count(*) FROM {0} WHERE organization_id = $1 AND meeting_id = $2) AS {0}"
_COUNTS = "SELECT " + ", ".join(_COUNT.format(table) for table in MEETING_TABLES)


@dataclass(frozen=True, slots=True)
class NewDeletion:
    """A deletion that is about to happen."""

    id: UUID
    organization_id: UUID
    file_hash: str
    part: str
    """``audio``, ``transcript`` or ``meeting``."""
    user_id: UUID | None
    """Whose request it is; None: the organization's retention."""


@dataclass(frozen=True, slots=True)
class UnfinishedDeletion:
    """A deletion whose files are not removed yet."""

    organization_id: UUID
    id: UUID
    file_hash: str
    part: str


@dataclass(frozen=True, slots=True)
class DeletionRow:
    """A receipt."""

    id: UUID
    meeting_id: UUID
    file_hash: str
    part: str
    reason: str
    """``request`` or ``retention``."""
    user_id: UUID | None
    email: str | None
    """Of the user; None for retention, and once the user was deleted."""
    row_counts: dict[str, int]
    """Deleted rows by table."""
    files: int
    size_bytes: int
    created_at: datetime
    """When the rows were deleted."""
    files_removed_at: datetime | None
    purged_at: datetime | None


async def is_recorded(connection: Connection, organization_id: UUID, id_: UUID) -> bool:
    """Return whether there is this receipt."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM deletions WHERE organization_id = $1 AND id = $2)", organization_id, id_
    )
    return found


async def lock_meeting(connection: Connection, organization_id: UUID, file_hash: str) -> UUID | None:
    """Lock a meeting's row until the transaction ends, and return the meeting's id; None if there is none."""
    found: UUID | None = await connection.fetchval(
        "SELECT id FROM meetings WHERE organization_id = $1 AND file_hash = $2 FOR UPDATE", organization_id, file_hash
    )
    return found


async def wait_for(
    connection: Connection, organization_id: UUID, file_hash: str, user_id: UUID, delay: timedelta
) -> datetime | None:
    """Note that a meeting is to be deleted after ``delay``, at a user's request; return when, None if there is none."""
    delete_at: datetime | None = await connection.fetchval(
        "UPDATE meetings SET delete_at = now() + $3, delete_user_id = $4"
        " WHERE organization_id = $1 AND file_hash = $2 RETURNING delete_at",
        organization_id,
        file_hash,
        delay,
        user_id,
    )
    return delete_at


async def call_off(connection: Connection, organization_id: UUID, file_hash: str) -> bool:
    """Call off a deletion that waits, if one does; return False if there is no such meeting."""
    changed = await connection.execute(
        "UPDATE meetings SET delete_at = NULL, delete_user_id = NULL WHERE organization_id = $1 AND file_hash = $2",
        organization_id,
        file_hash,
    )
    return bool(changed != "UPDATE 0")


async def find_due(connection: Connection, most: int) -> list[tuple[UUID, str]]:
    """Return up to ``most`` recordings (organization, hash), of any organization, whose deletion has waited enough."""
    rows = await connection.fetch("SELECT organization_id, file_hash FROM due_deletions($1)", most)
    return [(UUID(str(row["organization_id"])), row["file_hash"]) for row in rows]


async def lock_due(connection: Connection, organization_id: UUID, file_hash: str) -> tuple[UUID, UUID] | None:
    """Lock a meeting whose deletion has waited enough until the transaction ends; return its id and whose request it
    is. None if there is none any more.
    """
    row = await connection.fetchrow(
        "SELECT id, delete_user_id FROM meetings WHERE organization_id = $1 AND file_hash = $2 AND delete_at <= now()"
        " FOR UPDATE",
        organization_id,
        file_hash,
    )
    return (row["id"], row["delete_user_id"]) if row else None


async def delete_meeting(connection: Connection, organization_id: UUID, meeting_id: UUID) -> dict[str, int]:
    """Delete a meeting with all its rows, and the voices that no other meeting has; return the rows by table."""
    counts = await connection.fetchrow(_COUNTS, organization_id, meeting_id)
    assert counts is not None
    voices = await _delete_voices(connection, organization_id, meeting_id)
    await connection.execute("DELETE FROM meetings WHERE organization_id = $1 AND id = $2", organization_id, meeting_id)
    removed = {**dict(counts), "voices": voices, "meetings": 1}
    return {table: removed[table] for table in sorted(removed) if removed[table]}


async def _delete_voices(connection: Connection, organization_id: UUID, meeting_id: UUID) -> int:
    """Delete the known voices that were heard in this meeting and are in no other one; return their number."""
    heard = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM speakers WHERE organization_id = $1 AND meeting_id = $2 AND voice_id IS NOT NULL)",
        organization_id,
        meeting_id,
    )
    if not heard:
        return 0
    # As ``voices.lock_voices``: a meeting that is being finished may recognise one of them.
    await connection.execute("SELECT FROM organizations WHERE id = $1 FOR UPDATE", organization_id)
    deleted = await connection.execute(
        "DELETE FROM voices v WHERE v.organization_id = $1 AND EXISTS"
        " (SELECT FROM speakers s WHERE s.voice_id = v.id AND s.meeting_id = $2) AND NOT EXISTS"
        " (SELECT FROM speakers s WHERE s.voice_id = v.id AND s.meeting_id <> $2)",
        organization_id,
        meeting_id,
    )
    return int(deleted.removeprefix("DELETE "))


async def record(
    connection: Connection,
    deletion: NewDeletion,
    meeting_id: UUID,
    row_counts: Mapping[str, int],
    files: int,
    size_bytes: int,
) -> None:
    """Write the receipt of a deletion whose files are still to be removed.

    Args:
        row_counts: deleted rows by table.
        files, size_bytes: those on disk now.
    """
    await connection.execute(
        "INSERT INTO deletions (id, organization_id, meeting_id, file_hash, part, reason, user_id, row_counts, files,"
        " size_bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        deletion.id,
        deletion.organization_id,
        meeting_id,
        deletion.file_hash,
        deletion.part,
        "retention" if deletion.user_id is None else "request",
        deletion.user_id,
        dict(row_counts),
        files,
        size_bytes,
    )


async def finish(connection: Connection, organization_id: UUID, id_: UUID, files: int, size_bytes: int) -> None:
    """Record that the files are removed.

    Args:
        files, size_bytes: those that were there just before; a live meeting wrote on after its rows were deleted.
    """
    await connection.execute(
        "UPDATE deletions SET files = greatest(files, $3), size_bytes = greatest(size_bytes, $4),"
        " files_removed_at = now() WHERE organization_id = $1 AND id = $2 AND files_removed_at IS NULL",
        organization_id,
        id_,
        files,
        size_bytes,
    )


async def find_unfinished(connection: Connection, grace_s: float) -> list[UnfinishedDeletion]:
    """Return up to 100 deletions, of any organization, whose files are still there after ``grace_s`` seconds."""
    rows = await connection.fetch("SELECT * FROM unfinished_deletions($1)", timedelta(seconds=grace_s))
    return [UnfinishedDeletion(**row) for row in rows]


async def list_page(
    connection: Connection,
    organization_id: UUID,
    size: int,
    after: tuple[datetime, UUID] | None,
    file_hash: str | None = None,
) -> list[DeletionRow]:
    """Return up to ``size`` receipts of an organization, newest first, after the key ``after`` (deleted_at, id).

    Args:
        file_hash: of the meeting whose receipts are wanted; None: all.
    """
    values: list[object] = [organization_id, size, *(after or (None, None))]
    of_meeting = ""
    if file_hash is not None:
        values.append(file_hash)
        of_meeting = " AND d.file_hash = $5"
    rows = await connection.fetch(
        "SELECT d.id, d.meeting_id, d.file_hash, d.part, d.reason, d.user_id, u.email, d.row_counts, d.files,"  # noqa: S608
        " d.size_bytes, d.deleted_at AS created_at, d.files_removed_at, d.purged_at FROM deletions d"
        " LEFT JOIN users u ON u.id = d.user_id AND u.organization_id = d.organization_id"
        " WHERE d.organization_id = $1 AND ($3::timestamptz IS NULL OR (d.deleted_at, d.id) < ($3, $4::uuid))"
        f"{of_meeting} ORDER BY d.deleted_at DESC, d.id DESC LIMIT $2",
        *values,
    )
    return [DeletionRow(**row) for row in rows]

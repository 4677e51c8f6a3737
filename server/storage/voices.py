"""Known voices of organizations that consent to recognition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from server.storage.pool import Connection, ReferenceDeleted


@dataclass(frozen=True, slots=True)
class VoiceRow:
    """A known voice."""

    id: UUID
    name: str
    vector: bytes
    """Unit-length embedding, float32 little-endian."""
    meetings: int


async def recognition_enabled(connection: Connection, organization_id: UUID) -> bool:
    """Return whether the organization consents to voice recognition."""
    enabled: bool = await connection.fetchval(
        "SELECT recognise_voices FROM organizations WHERE id = $1", organization_id
    )
    return enabled


async def set_recognition(connection: Connection, organization_id: UUID, enabled: bool) -> None:
    """Turn recognition on or off; off deletes all voices. Raises ReferenceDeleted if the organization was deleted."""
    changed = await connection.execute(
        "UPDATE organizations SET recognise_voices = $2 WHERE id = $1", organization_id, enabled
    )
    if changed == "UPDATE 0":
        raise ReferenceDeleted("organization")
    if not enabled:
        await connection.execute("DELETE FROM voices WHERE organization_id = $1", organization_id)


async def lock_voices(connection: Connection, organization_id: UUID, model: str) -> list[VoiceRow]:
    """Return the organization's voices of an embedding model, locked against other meetings until the transaction ends.

    Returns an empty list without the organization's consent.
    """
    row = await connection.fetchval(
        "SELECT recognise_voices FROM organizations WHERE id = $1 FOR UPDATE", organization_id
    )
    if not row:
        return []
    rows = await connection.fetch(
        "SELECT id, name, vector, meetings FROM voices"
        " WHERE organization_id = $1 AND model = $2 ORDER BY created_at, id",
        organization_id,
        model,
    )
    return [VoiceRow(**row) for row in rows]


async def store(connection: Connection, organization_id: UUID, model: str, voice: VoiceRow) -> None:
    """Insert a voice, or update the embedding and meeting count of a known one."""
    await connection.execute(
        "INSERT INTO voices (id, organization_id, name, model, vector, meetings) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (id) DO UPDATE SET vector = excluded.vector, meetings = excluded.meetings",
        voice.id,
        organization_id,
        voice.name,
        model,
        voice.vector,
        voice.meetings,
    )


async def link_speakers(connection: Connection, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Record the recognised voices, as (speaker id, voice id) pairs."""
    await connection.executemany("UPDATE speakers SET voice_id = $2 WHERE id = $1", pairs)


async def list_all(connection: Connection, organization_id: UUID) -> list[VoiceRow]:
    """Return the organization's voices, oldest first."""
    rows = await connection.fetch(
        "SELECT id, name, vector, meetings FROM voices WHERE organization_id = $1 ORDER BY created_at, id",
        organization_id,
    )
    return [VoiceRow(**row) for row in rows]


async def exists(connection: Connection, organization_id: UUID, id_: UUID) -> bool:
    """Return whether the organization knows the voice."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM voices WHERE id = $1 AND organization_id = $2)", id_, organization_id
    )
    return found


async def delete(connection: Connection, organization_id: UUID, id_: UUID) -> bool:
    """Delete a voice; return False if there is none."""
    deleted = await connection.execute(
        "DELETE FROM voices WHERE id = $1 AND organization_id = $2", id_, organization_id
    )
    return bool(deleted != "DELETE 0")

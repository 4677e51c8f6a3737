"""Stored answers: one row per meeting and family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from server.storage.pool import Connection


async def store(connection: Connection, meeting_id: UUID, answers: Mapping[str, tuple[str, dict[str, Any]]]) -> None:
    """Insert or update answers (family -> definition version, document); unchanged ones are not written."""
    await connection.executemany(
        "INSERT INTO insights (meeting_id, family, definition_version, value) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (meeting_id, family) DO UPDATE"
        " SET definition_version = excluded.definition_version, value = excluded.value"
        " WHERE insights.value IS DISTINCT FROM excluded.value"
        " OR insights.definition_version <> excluded.definition_version",
        [(meeting_id, family, version, document) for family, (version, document) in answers.items()],
    )


async def load(connection: Connection, meeting_id: UUID, family: str) -> dict[str, Any] | None:
    """Return one answer document of a meeting, or None."""
    document: dict[str, Any] | None = await connection.fetchval(
        "SELECT value FROM insights WHERE meeting_id = $1 AND family = $2", meeting_id, family
    )
    return document

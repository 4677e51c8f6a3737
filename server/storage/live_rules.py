"""The rules of an organization's live meetings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from server.storage.pool import Connection, ReferenceDeleted


async def find(connection: Connection, organization_id: UUID) -> list[dict[str, Any]]:
    """Return an organization's rules as they were stored. Raises ReferenceDeleted."""
    row = await connection.fetchrow("SELECT live_rules FROM organizations WHERE id = $1", organization_id)
    if row is None:
        raise ReferenceDeleted("organization")
    rules: list[dict[str, Any]] = row["live_rules"]
    return rules


async def replace(connection: Connection, organization_id: UUID, rules: Sequence[dict[str, Any]]) -> None:
    """Replace an organization's rules, all of them. Raises ReferenceDeleted."""
    changed = await connection.execute(
        "UPDATE organizations SET live_rules = $2 WHERE id = $1", organization_id, list(rules)
    )
    if changed == "UPDATE 0":
        raise ReferenceDeleted("organization")

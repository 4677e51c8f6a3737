"""Organizations and their policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.policy import SETTINGS, Policy
from server.storage.pool import Connection, ReferenceDeleted

_SETTINGS = ", ".join(SETTINGS)


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """An organization as its users see it."""

    id: UUID
    name: str
    created_at: datetime
    recognise_voices: bool
    policy: Policy


async def find(connection: Connection, organization_id: UUID) -> OrganizationRow:
    """Return an organization. Raises ReferenceDeleted."""
    row = await connection.fetchrow(
        f"SELECT name, created_at, recognise_voices, {_SETTINGS} FROM organizations WHERE id = $1",  # noqa: S608 - our names
        organization_id,
    )
    if row is None:
        raise ReferenceDeleted("organization")
    return OrganizationRow(
        organization_id,
        row["name"],
        row["created_at"],
        row["recognise_voices"],
        Policy(*(row[name] for name in SETTINGS)),
    )


async def find_named(connection: Connection, name: str) -> UUID | None:
    """Return the id of the organization of that name, or None; for any transaction."""
    id_: UUID | None = await connection.fetchval("SELECT organization_by_name($1)", name)
    return id_


async def is_only_one(connection: Connection) -> bool:
    """Return whether the server has no other organization; for any transaction."""
    return bool(await connection.fetchval("SELECT only_organization()"))


async def set_policy(connection: Connection, organization_id: UUID, settings: Mapping[str, object]) -> None:
    """Change settings of an organization, by field of ``Policy``, and no other. Raises ReferenceDeleted."""
    assert set(settings) <= set(SETTINGS)
    if not settings:
        return
    assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(settings, start=2))
    changed = await connection.execute(
        f"UPDATE organizations SET {assignments} WHERE id = $1",  # noqa: S608 - names of our own columns
        organization_id,
        *settings.values(),
    )
    if changed == "UPDATE 0":
        raise ReferenceDeleted("organization")

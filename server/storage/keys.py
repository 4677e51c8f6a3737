"""API keys of users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.storage.pool import Connection

SCOPES = ("upload", "read", "live", "admin")


@dataclass(frozen=True, slots=True)
class KeyUser:
    """The user to whom a key gives access."""

    key_id: UUID
    user_id: UUID
    organization_id: UUID
    role: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key, without its secret."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


_ROW = (
    "SELECT k.id, k.user_id, k.name, u.email, k.scopes, k.created_at, k.expires_at, k.last_used_at"
    " FROM api_keys k JOIN users u ON u.id = k.user_id"
)


def _row(row: object) -> KeyRow:
    columns = dict(row)  # type: ignore[call-overload]
    return KeyRow(**{**columns, "scopes": tuple(columns["scopes"])})


async def find_user(connection: Connection, secret_hash: bytes) -> KeyUser | None:
    """Return to whom a key gives access now, noting its use; None if it is void. Of any organization."""
    row = await connection.fetchrow("SELECT * FROM user_of_key($1)", secret_hash)
    return KeyUser(**{**row, "scopes": tuple(row["scopes"])}) if row else None


async def add(
    connection: Connection,
    organization_id: UUID,
    user_id: UUID,
    id_: UUID,
    *,
    name: str,
    secret_hash: bytes,
    scopes: Sequence[str],
    expires_in_days: int,
) -> KeyRow:
    """Store a key; safe to repeat.

    Args:
        expires_in_days: 0: never.
    """
    await connection.execute(
        "INSERT INTO api_keys (id, organization_id, user_id, name, secret_hash, scopes, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(days => nullif($7::integer, 0)))"
        " ON CONFLICT (id) DO NOTHING",
        id_,
        organization_id,
        user_id,
        name,
        secret_hash,
        list(scopes),
        expires_in_days,
    )
    return _row(await connection.fetchrow(f"{_ROW} WHERE k.organization_id = $1 AND k.id = $2", organization_id, id_))


async def lock_count(connection: Connection, organization_id: UUID, user_id: UUID) -> int:
    """Return how many keys the user has, which stays so until the transaction ends."""
    await connection.execute(
        "SELECT FROM users WHERE organization_id = $1 AND id = $2 FOR UPDATE", organization_id, user_id
    )
    count: int = await connection.fetchval(
        "SELECT count(*) FROM api_keys WHERE organization_id = $1 AND user_id = $2", organization_id, user_id
    )
    return count


async def list_page(
    connection: Connection,
    organization_id: UUID,
    user_id: UUID | None,
    limit: int,
    before: tuple[datetime, UUID] | None,
) -> list[KeyRow]:
    """Return keys of an organization, newest first.

    Args:
        user_id: only this user's; None: all users'.
        before: the last key of the page before: when it was made, and id.
    """
    created_at, id_ = before or (None, None)
    rows = await connection.fetch(
        f"{_ROW} WHERE k.organization_id = $1 AND ($2::uuid IS NULL OR k.user_id = $2)"
        " AND ($3::timestamptz IS NULL OR (k.created_at, k.id) < ($3, $4))"
        " ORDER BY k.created_at DESC, k.id DESC LIMIT $5",
        organization_id,
        user_id,
        created_at,
        id_,
        limit,
    )
    return [_row(row) for row in rows]


async def list_all(connection: Connection, email: str | None) -> list[KeyRow]:
    """Return the keys of all organizations, or of one user, by address and age."""
    rows = await connection.fetch(
        f"{_ROW} WHERE $1::text IS NULL OR u.email = $1 ORDER BY u.email, k.created_at", email and email.lower()
    )
    return [_row(row) for row in rows]


async def delete(connection: Connection, organization_id: UUID | None, user_id: UUID | None, id_: UUID) -> UUID | None:
    """Delete a key; return whose it was, None if there is none.

    Args:
        organization_id, user_id: only this organization's, and user's; None: any.
    """
    owner: UUID | None = await connection.fetchval(
        "DELETE FROM api_keys WHERE ($1::uuid IS NULL OR organization_id = $1) AND ($2::uuid IS NULL OR user_id = $2)"
        " AND id = $3 RETURNING user_id",
        organization_id,
        user_id,
        id_,
    )
    return owner

"""Organizations and their users."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from server.storage.pool import Connection


@dataclass(frozen=True, slots=True)
class User:
    """A user, who belongs to one organization."""

    id: UUID
    organization_id: UUID
    email: str
    password_hash: str
    tokens_valid_after: datetime


async def find_by_email(connection: Connection, email: str) -> User | None:
    """Return the user with this address, ignoring case, or None."""
    row = await connection.fetchrow("SELECT * FROM user_by_email($1)", email.lower())
    return User(**row) if row else None


async def find(connection: Connection, user_id: UUID) -> User | None:
    """Return the user with this id, or None."""
    row = await connection.fetchrow("SELECT * FROM user_by_id($1)", user_id)
    return User(**row) if row else None


async def is_authorized(connection: Connection, user_id: UUID, token_issued_at: float) -> bool:
    """Return whether the user still exists and the token is not revoked.

    Args:
        token_issued_at: seconds since the epoch.
    """
    authorized: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM users WHERE id = $1 AND tokens_valid_after <= to_timestamp($2))",
        user_id,
        token_issued_at,
    )
    return authorized


async def ensure_user(connection: Connection, organization: str, email: str, password_hash: str) -> UUID:
    """Create the user and organization if missing, set the password, and return the user's id.

    Args:
        organization: name, used for a new user only.
        password_hash: as returned by ``hash_password``.
    """
    await connection.execute(
        "INSERT INTO organizations (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        uuid4(),
        organization,
    )
    user_id: UUID = await connection.fetchval(
        "INSERT INTO users (id, organization_id, email, password_hash)"
        " SELECT $1, id, $3, $4 FROM organizations WHERE name = $2"
        " ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash RETURNING id",
        uuid4(),
        organization,
        email.lower(),
        password_hash,
    )
    return user_id


async def revoke_tokens(connection: Connection, email: str) -> bool:
    """Revoke all tokens issued to the user so far; return False if there is no such user."""
    revoked = await connection.fetchval(
        "UPDATE users SET tokens_valid_after = date_trunc('second', now()) + interval '1 second'"
        " WHERE email = $1 RETURNING true",
        email.lower(),
    )
    return bool(revoked)

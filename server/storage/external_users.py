"""Users whom an external issuer names by their email address."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from server.storage.pool import Connection
from server.storage.users import TokenUser


async def find(
    connection: Connection, email: str, token_id: UUID, issued_at: datetime, organization: str
) -> TokenUser | None:
    """Return to whom an external token gives access now; None if it is void, or nobody's.

    Args:
        organization: name of the only one whose users count; empty: any.
    """
    row = await connection.fetchrow(
        "SELECT * FROM user_of_external_token($1, $2, $3, $4)", email, token_id, issued_at, organization
    )
    return TokenUser(**row) if row else None


async def add(connection: Connection, organization_id: UUID, email: str, role: str) -> UUID | None:
    """Add a user without a password to the transaction's organization; return the id, None if the address is taken."""
    id_: UUID | None = await connection.fetchval(
        "INSERT INTO users (id, organization_id, email, role) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (email) DO NOTHING RETURNING id",
        uuid4(),
        organization_id,
        email,
        role,
    )
    return id_

"""The users of session tokens."""

from __future__ import annotations

from uuid import UUID

from server.storage.keys import KeyUser
from server.storage.pool import Connection
from server.storage.users import TokenUser


async def find_user(
    connection: Connection, user_id: UUID, token_id: UUID | None, generation: int, key_id: UUID | None
) -> TokenUser | KeyUser | None:
    """Return to whom a session token gives access now; None if it is void. Of any organization.

    Args:
        user_id: of the user who made it.
        token_id: of the token with which they did; None: it was a key.
        generation: the token generation of the user at that time.
        key_id: of the key with which they did; None: it was a token.
    """
    row = await connection.fetchrow(
        "SELECT * FROM user_of_session_token($1, $2, $3, $4)", user_id, token_id, generation, key_id
    )
    if row is None:
        return None
    if row["key_id"] is None:
        return TokenUser(row["user_id"], row["organization_id"], row["role"])
    return KeyUser(**{**row, "scopes": tuple(row["scopes"])})

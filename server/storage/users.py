"""Organizations and their users."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from server.storage.pool import Connection

# Notified with the id of a user whose rows changed; see migration 0010.
USERS_CHANNEL = "meetra_users"
ROLES = ("owner", "member", "reader", "bot")
# Of a user: what is kept of them is bounded.
MAX_LOGGED_OUT_TOKENS = 1000
_COLUMNS = "id, organization_id, email, password_hash, role, disabled, token_generation"


class EmailTaken(Exception):
    """The address belongs to a user of another organization."""


@dataclass(frozen=True, slots=True)
class User:
    """A user, who belongs to one organization."""

    id: UUID
    organization_id: UUID
    email: str
    password_hash: str | None
    """None: they log in at an external issuer."""
    role: str
    disabled: bool
    token_generation: int
    """Tokens of another generation are void."""


@dataclass(frozen=True, slots=True)
class TokenUser:
    """The user to whom a token gives access."""

    user_id: UUID
    organization_id: UUID
    role: str


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user as their organization sees them."""

    id: UUID
    email: str
    role: str
    disabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OrganizationUser:
    """A user as the administrator of all organizations sees them."""

    email: str
    organization: str
    role: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class UserInOrganization:
    """A user, the organization that they belong to, and one of their keys."""

    email: str
    organization_name: str
    key_name: str | None
    """None: no key was asked for."""


async def describe(
    connection: Connection, organization_id: UUID, user_id: UUID, key_id: UUID | None
) -> UserInOrganization | None:
    """Return who a user is, and what a key of theirs is for; None if there is no such user."""
    row = await connection.fetchrow(
        "SELECT u.email, o.name AS organization_name, k.name AS key_name FROM users u"
        " JOIN organizations o ON o.id = u.organization_id"
        " LEFT JOIN api_keys k ON k.organization_id = u.organization_id AND k.user_id = u.id AND k.id = $3"
        " WHERE u.organization_id = $1 AND u.id = $2",
        organization_id,
        user_id,
        key_id,
    )
    return UserInOrganization(**row) if row else None


async def find_by_email(connection: Connection, email: str) -> User | None:
    """Return the user with this address, ignoring case, or None; of any organization."""
    row = await connection.fetchrow("SELECT * FROM user_by_email($1)", email.lower())
    return User(**row) if row else None


async def find_by_token(connection: Connection, user_id: UUID, token_id: UUID, generation: int) -> TokenUser | None:
    """Return to whom a token of the user gives access now; None if it is void. Of any organization."""
    row = await connection.fetchrow("SELECT * FROM user_of_token($1, $2, $3)", user_id, token_id, generation)
    return TokenUser(**row) if row else None


async def find(connection: Connection, user_id: UUID) -> User | None:
    """Return the user with this id, or None."""
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM users WHERE id = $1", user_id)  # noqa: S608
    return User(**row) if row else None


async def list_all(connection: Connection, organization: str | None) -> list[OrganizationUser]:
    """Return the users of all organizations, or of the one of that name, by organization and address."""
    rows = await connection.fetch(
        "SELECT u.email, o.name AS organization, u.role, u.disabled FROM users u"
        " JOIN organizations o ON o.id = u.organization_id WHERE $1::text IS NULL OR o.name = $1"
        " ORDER BY o.name, u.email",
        organization,
    )
    return [OrganizationUser(**row) for row in rows]


async def exist(connection: Connection) -> bool:
    """Return whether there is any user."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM users)"))


async def ensure_user(
    connection: Connection, organization: str, email: str, password_hash: str, role: str | None = None
) -> UUID:
    """Create the user and organization if missing, else set the password, which voids all tokens; return the user's id.

    Args:
        organization: name.
        password_hash: as returned by ``hash_password``.
        role: None: a new user is an owner if they are the organization's first, else a member; others keep theirs.

    Raises EmailTaken.
    """
    await connection.execute(
        "INSERT INTO organizations (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        uuid4(),
        organization,
    )
    # Locked, so that only one user is the first.
    organization_id = await connection.fetchval("SELECT id FROM organizations WHERE name = $1 FOR UPDATE", organization)
    user_id: UUID | None = await connection.fetchval(
        "INSERT INTO users (id, organization_id, email, password_hash, role) SELECT $1, $2, $3, $4, coalesce($5,"
        " CASE WHEN EXISTS (SELECT FROM users WHERE organization_id = $2) THEN 'member' ELSE 'owner' END)"
        " ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash,"
        " role = coalesce($5, users.role), token_generation = users.token_generation + 1"
        " WHERE users.organization_id = excluded.organization_id RETURNING id",
        uuid4(),
        organization_id,
        email.lower(),
        password_hash,
        role,
    )
    if user_id is None:
        raise EmailTaken
    return user_id


async def add(
    connection: Connection, organization_id: UUID, user_id: UUID, email: str, password_hash: str, role: str
) -> ListedUser | None:
    """Add a user to the transaction's organization, and return them; None if the address is taken. Safe to repeat.

    Args:
        email: in lower case.
    """
    # No statement of the servers makes a user with a password: they may set one in their organization alone.
    await connection.execute(
        "INSERT INTO users (id, organization_id, email, role) VALUES ($1, $2, $3, $4) ON CONFLICT (email) DO NOTHING",
        user_id,
        organization_id,
        email,
        role,
    )
    row = await connection.fetchrow(
        "UPDATE users SET password_hash = $3 WHERE organization_id = $1 AND id = $2"
        " RETURNING id, email, role, disabled, created_at",
        organization_id,
        user_id,
        password_hash,
    )
    return ListedUser(**row) if row else None


async def set_password(
    connection: Connection, organization_id: UUID, user_id: UUID, generation: int, password_hash: str
) -> int | None:
    """Set the password and void all tokens; return the new generation, None if ``generation`` is void already."""
    new: int | None = await connection.fetchval(
        "UPDATE users SET password_hash = $4, token_generation = token_generation + 1"
        " WHERE organization_id = $1 AND id = $2 AND token_generation = $3 AND NOT disabled RETURNING token_generation",
        organization_id,
        user_id,
        generation,
        password_hash,
    )
    return new


async def void_tokens(connection: Connection, organization_id: UUID, user_id: UUID) -> None:
    """Void all tokens issued to the user so far."""
    await connection.execute(
        "UPDATE users SET token_generation = token_generation + 1 WHERE organization_id = $1 AND id = $2",
        organization_id,
        user_id,
    )
    await connection.execute(
        "DELETE FROM logged_out_tokens WHERE organization_id = $1 AND user_id = $2", organization_id, user_id
    )


async def log_out(
    connection: Connection,
    organization_id: UUID,
    user_id: UUID,
    token_id: UUID,
    expires_at: datetime,
    most: int = MAX_LOGGED_OUT_TOKENS,
) -> None:
    """Void one token of the user; all of them, if more than ``most`` are logged out and not expired."""
    await connection.execute(
        "DELETE FROM logged_out_tokens WHERE organization_id = $1 AND user_id = $2 AND expires_at < now()",
        organization_id,
        user_id,
    )
    await connection.execute(
        "INSERT INTO logged_out_tokens (token_id, organization_id, user_id, expires_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (token_id) DO NOTHING",
        token_id,
        organization_id,
        user_id,
        expires_at,
    )
    kept: int = await connection.fetchval(
        "SELECT count(*) FROM logged_out_tokens WHERE organization_id = $1 AND user_id = $2", organization_id, user_id
    )
    if kept > most:
        await void_tokens(connection, organization_id, user_id)


async def list_page(
    connection: Connection, organization_id: UUID, limit: int, before: tuple[datetime, UUID] | None
) -> list[ListedUser]:
    """Return users of an organization, newest first.

    Args:
        before: the last user of the page before: when they were created, and id.
    """
    created_at, id_ = before or (None, None)
    rows = await connection.fetch(
        "SELECT id, email, role, disabled, created_at FROM users WHERE organization_id = $1"
        " AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3)) ORDER BY created_at DESC, id DESC LIMIT $4",
        organization_id,
        created_at,
        id_,
        limit,
    )
    return [ListedUser(**row) for row in rows]


async def update(
    connection: Connection,
    organization_id: UUID,
    user_id: UUID,
    *,
    role: str | None = None,
    disabled: bool | None = None,
) -> ListedUser | None:
    """Change what is not None, and return the user; None if there is none. Disabling voids all tokens."""
    row = await connection.fetchrow(
        "UPDATE users SET role = coalesce($3, role), disabled = coalesce($4, disabled),"
        # So that enabling somebody later does not give their old tokens back.
        " token_generation = token_generation + (coalesce($4, false) AND NOT disabled)::integer"
        " WHERE organization_id = $1 AND id = $2 RETURNING id, email, role, disabled, created_at",
        organization_id,
        user_id,
        role,
        disabled,
    )
    return ListedUser(**row) if row else None


async def delete(connection: Connection, organization_id: UUID, user_id: UUID) -> bool:
    """Delete a user; their meetings stay. Return False if there is none."""
    deleted = await connection.execute(
        "DELETE FROM users WHERE organization_id = $1 AND id = $2", organization_id, user_id
    )
    return bool(deleted != "DELETE 0")


async def lock_owners(connection: Connection, organization_id: UUID) -> set[UUID]:
    """Return the enabled owners of an organization, who stay so until the transaction ends."""
    rows = await connection.fetch(
        "SELECT id FROM users WHERE organization_id = $1 AND role = 'owner' AND NOT disabled ORDER BY id FOR UPDATE",
        organization_id,
    )
    return {row["id"] for row in rows}

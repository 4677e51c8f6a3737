"""The roles of a cluster of ours: made once, with any password, and given the tables that a superuser made."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from cli.database_roles import OWNER, RUNTIME, ensure_roles
from cli.postgres import SUPERUSER, PostgresServer
from server.storage import check_access, users
from server.storage.migrate import MIGRATIONS, migrate
from server.storage.pool import Connection, Database

SECURED = "0009_row_level_security.sql"


@pytest.fixture
async def name(postgres: PostgresServer, owner: Database) -> AsyncIterator[str]:
    """An empty database of the superuser, in a cluster that has the roles and waits for their passwords."""
    connection = await asyncpg.connect(postgres.url())
    name = f"empty_{uuid4().hex}"
    await connection.execute(f"CREATE DATABASE {name}")
    yield name
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


def url(postgres: PostgresServer, name: str, role: str, password: str | None = None) -> str:
    return postgres.url(role, password).removesuffix("/postgres") + f"/{name}"


async def ensure(postgres: PostgresServer, name: str, **passwords: str) -> None:
    database = await Database.connect(url(postgres, name, SUPERUSER))
    await database.run(lambda c: ensure_roles(c, {OWNER: postgres.password, RUNTIME: postgres.password, **passwords}))
    await database.close()


async def owners(connection: Connection) -> set[str]:
    """The owners of what is in the schema, but for the extension's."""
    rows = await connection.fetch(
        "SELECT pg_get_userbyid(relowner) AS owner FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')"
        " UNION SELECT pg_get_userbyid(proowner) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
    )
    return {row["owner"] for row in rows}


async def test_roles_are_made_once_and_their_passwords_are_the_latest(postgres: PostgresServer, name: str) -> None:
    for password in ("first", 'it\'s a \\ "quoted" $$ password; --', "/?#@:% ü", "last"):
        await ensure(postgres, name, **{OWNER: password, RUNTIME: password})
        for role in (OWNER, RUNTIME):
            await (await asyncpg.connect(url(postgres, name, role, password))).close()
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(url(postgres, name, role, f"{password} not"))
    await ensure(postgres, name)


async def test_neither_role_is_above_row_level_security_even_if_it_was_before(
    postgres: PostgresServer, name: str
) -> None:
    connection = await asyncpg.connect(url(postgres, name, SUPERUSER))
    await connection.execute(f"ALTER ROLE {RUNTIME} SUPERUSER BYPASSRLS CREATEDB CREATEROLE REPLICATION")
    await ensure(postgres, name)
    rows = await connection.fetch(
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles"
        " WHERE rolname = ANY($1)",
        [OWNER, RUNTIME],
    )
    await connection.close()
    assert [set(row.values()) for row in rows] == [{False}, {False}]


async def test_what_the_superuser_made_becomes_the_owners_with_its_rows(
    postgres: PostgresServer, name: str, tmp_path: Path
) -> None:
    for path in MIGRATIONS.glob("*.sql"):
        if path.name < SECURED:
            shutil.copy(path, tmp_path)
    assert SECURED not in await migrate(url(postgres, name, SUPERUSER), tmp_path)
    superuser = await Database.connect(url(postgres, name, SUPERUSER))
    user_id, organization_id = uuid4(), uuid4()
    await superuser.run(lambda c: c.execute("INSERT INTO organizations (id, name) VALUES ($1, 'Org')", organization_id))
    insert = "INSERT INTO users (id, organization_id, email, password_hash) VALUES ($1, $2, 'a@example.org', 'hash')"
    await superuser.run(lambda c: c.execute(insert, user_id, organization_id))
    assert await superuser.run(owners) == {SUPERUSER}

    await ensure(postgres, name)
    assert await superuser.run(owners) == {OWNER}
    assert SECURED in await migrate(url(postgres, name, OWNER))
    assert await superuser.run(owners) == {OWNER}
    await superuser.close()

    database = await Database.connect(url(postgres, name, RUNTIME))
    await database.run(check_access)
    user = await database.run(lambda c: users.find_by_email(c, "a@example.org"))
    assert user is not None
    # Who came first administers the organization from then on.
    assert (user.id, user.role) == (user_id, "owner")

    async def seen(connection: Connection) -> list[UUID]:
        return [row["id"] for row in await connection.fetch("SELECT id FROM users")]

    assert await database.run(seen, organization_id=user.organization_id) == [user_id]
    assert await database.run(seen) == []
    await database.close()

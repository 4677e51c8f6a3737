"""Migrations: each once, in order, however many servers start at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from cli.database_roles import OWNER
from cli.postgres import PostgresServer
from server.storage.migrate import MIGRATIONS, migrate
from server.storage.pool import Database

ALL = sorted(path.name for path in MIGRATIONS.glob("*.sql"))


@pytest.fixture
async def empty_url(owner: Database, postgres: PostgresServer) -> AsyncIterator[str]:
    """A database without tables, as its owner."""
    # The fixture of a migrated database has waited until PostgreSQL is up, and has made its roles.
    connection = await asyncpg.connect(postgres.url())
    name = f"empty_{uuid4().hex}"
    await connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    own = await asyncpg.connect(postgres.url().removesuffix("/postgres") + f"/{name}")
    await own.execute("CREATE EXTENSION vector")
    await own.close()
    yield postgres.url(OWNER).removesuffix("/postgres") + f"/{name}"
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


async def test_all_are_applied_in_order_and_never_again(empty_url: str) -> None:
    assert await migrate(empty_url) == ALL
    assert await migrate(empty_url) == []


async def test_without_pgvector_the_error_says_what_to_do(empty_url: str, postgres: PostgresServer) -> None:
    own = await asyncpg.connect(postgres.url().removesuffix("/postgres") + "/" + empty_url.rpartition("/")[2])
    await own.execute("DROP EXTENSION vector")
    await own.close()
    with pytest.raises(asyncpg.RaiseError, match="pgvector") as raised:
        await migrate(empty_url)
    assert "CREATE EXTENSION vector" in str(raised.value.hint)


async def test_of_servers_that_start_at_once_one_migrates(empty_url: str) -> None:
    applied = await asyncio.gather(*(migrate(empty_url) for _ in range(4)))
    assert sorted(applied, key=len) == [[], [], [], ALL]


def test_names_are_in_the_order_in_which_they_came() -> None:
    assert [int(name[:4]) for name in ALL] == list(range(1, len(ALL) + 1))

"""A database without tables, for tests of migrations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from cli.database_roles import OWNER
from cli.postgres import PostgresServer
from server.storage.pool import Database


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

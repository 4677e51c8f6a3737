"""Real parts for the tests, each started once."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from cli.postgres import PostgresServer
    from server.storage.pool import Database

# A busy machine is no failure: examples may take as long as they take.
settings.register_profile("patient", deadline=None)
# For `make unit`: enough examples to notice a break, not enough to look for rare ones.
settings.register_profile("quick", deadline=None, max_examples=8)
settings.load_profile("patient")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what a test needs by its fixtures; the other marks are set by the ``conftest`` of a folder, or by a file."""
    if "postgres" in getattr(item, "fixturenames", ()):
        item.add_marker("database")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL of its own, from the wheel."""
    # Imported here, so that a test that needs none of it starts at once.
    from cli.postgres import STOP_SIGNAL, PostgresServer
    from cli.up import free_port

    folder: Path = tmp_path_factory.mktemp("postgres")
    server = PostgresServer(folder / "data", free_port(), "a password for the tests")
    server.ensure_initialised()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(server.command(), stdout=log, stderr=log)
    yield server
    # As the supervisor does: without waiting for connections that a failed test left open.
    process.send_signal(STOP_SIGNAL)
    process.wait(timeout=300)


@pytest.fixture
async def database_name(postgres: PostgresServer) -> AsyncIterator[str]:
    """A fresh, migrated database."""
    import asyncpg

    from cli.database_roles import OWNER, RUNTIME, ensure_roles
    from cli.postgres import SUPERUSER
    from server.storage.migrate import migrate
    from server.storage.pool import Database

    await (await Database.connect(postgres.url(), patience_s=300)).close()
    # Databases are not made within transactions.
    connection = await asyncpg.connect(postgres.url())
    name = f"test_{uuid4().hex}"
    await connection.execute(f"CREATE DATABASE {name}")
    fresh = await Database.connect(_url(postgres, name, SUPERUSER))
    await fresh.run(lambda c: ensure_roles(c, {OWNER: postgres.password, RUNTIME: postgres.password}))
    await fresh.close()
    await migrate(_url(postgres, name, OWNER))
    yield name
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def owner(postgres: PostgresServer, database_name: str) -> AsyncIterator[Database]:
    """The database as the owner of the tables, who sees everything."""
    from cli.database_roles import OWNER
    from server.storage.pool import Database

    opened = await Database.connect(_url(postgres, database_name, OWNER))
    yield opened
    await opened.close()


@pytest.fixture
async def database(postgres: PostgresServer, database_name: str) -> AsyncIterator[Database]:
    """The database as the servers are given it: a transaction sees one organization."""
    from cli.database_roles import RUNTIME
    from server.storage.pool import Database

    opened = await Database.connect(_url(postgres, database_name, RUNTIME))
    yield opened
    await opened.close()


def _url(postgres: PostgresServer, database: str, role: str) -> str:
    return postgres.url(role).removesuffix("/postgres") + f"/{database}"

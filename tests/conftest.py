"""Real parts for the tests, each started once."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from server.storage.pool import Database

# A busy machine is no failure: examples may take as long as they take.
settings.register_profile("patient", deadline=None)
# For `make unit`: enough examples to notice a break, not enough to look for rare ones.
settings.register_profile("quick", deadline=None, max_examples=15)
settings.load_profile("patient")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what a test needs by its fixtures; the other marks are set by the ``conftest`` of a folder, or by a file."""
    if "postgres_url" in getattr(item, "fixturenames", ()):
        item.add_marker("database")


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of its own, from the wheel."""
    # Imported here, so that a test that needs none of it starts at once.
    from cli.postgres import PostgresServer
    from cli.up import free_port

    folder: Path = tmp_path_factory.mktemp("postgres")
    server = PostgresServer(folder / "data", free_port(), "a password for the tests")
    server.ensure_initialised()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(server.command(), stdout=log, stderr=log)
    yield server.url.replace("a password for the tests", "a%20password%20for%20the%20tests")
    process.terminate()
    process.wait(timeout=300)


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """A fresh, migrated database."""
    import asyncpg

    from server.storage.migrate import migrate
    from server.storage.pool import Database

    while True:
        try:
            connection = await asyncpg.connect(postgres_url)
            break
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(0.1)
    name = f"test_{uuid4().hex}"
    await connection.execute(f"CREATE DATABASE {name}")
    url = postgres_url.replace("/postgres", f"/{name}")
    await migrate(url)
    opened = await Database.connect(url)
    yield opened
    await opened.close()
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()

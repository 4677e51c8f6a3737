"""Real parts for the tests, each started once."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from cli.postgres import PostgresServer
    from server.storage.pool import Database
    from tests.databases import Databases
    from tests.object_stores import ObjectServer

# A busy machine is no failure: examples may take as long as they take.
settings.register_profile("patient", deadline=None)
# For `make unit`: enough examples to notice a break, not enough to look for rare ones.
settings.register_profile("quick", deadline=None, max_examples=8)
settings.load_profile("patient")

# Shells start what runs in the background with SIGINT ignored, and so would every program that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what a test needs by its fixtures; the other marks are set by the ``conftest`` of a folder, or by a file."""
    if "postgres" in getattr(item, "fixturenames", ()):
        item.add_marker("database")
    if "object_server" in getattr(item, "fixturenames", ()):
        item.add_marker("children")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL of its own, from the wheel."""
    # Imported here, so that a test that needs none of it starts at once.
    from cli.free_port import free_port
    from cli.postgres import STOP_SIGNAL, PostgresServer

    folder: Path = tmp_path_factory.mktemp("postgres")
    server = PostgresServer(folder / "data", free_port(), "a password for the tests")
    server.ensure_initialised()
    with (folder / "log").open("w") as log:
        # Nobody pulls the plug of a test: its data needs to reach no disk.
        process = subprocess.Popen([*server.command(), "-c", "fsync=off"], stdout=log, stderr=log)
    yield server
    # As the supervisor does: without waiting for connections that a failed test left open.
    process.send_signal(STOP_SIGNAL)
    process.wait(timeout=300)


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer) -> Databases:
    from tests.databases import Databases

    return Databases(postgres)


@pytest.fixture
async def database_name(databases: Databases) -> str:
    """A migrated database without rows."""
    return await databases.fresh()


@pytest.fixture
async def owner(databases: Databases, database_name: str) -> AsyncIterator[Database]:
    """The database as the owner of the tables, who sees everything."""
    from cli.database_roles import OWNER
    from server.storage.pool import Database

    opened = await Database.connect(databases.url(database_name, OWNER))
    yield opened
    await opened.close()


@pytest.fixture
async def database(databases: Databases, database_name: str) -> AsyncIterator[Database]:
    """The database as the servers are given it: a transaction sees one organization."""
    from cli.database_roles import RUNTIME
    from server.storage.pool import Database

    opened = await Database.connect(databases.url(database_name, RUNTIME))
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def object_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    """An S3-compatible server of its own; the variables that its clients read are set."""
    from cli.free_port import free_port
    from tests.object_stores import ObjectServer

    server = ObjectServer(tmp_path_factory.mktemp("objects") / "data", free_port())
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
    server.kill()

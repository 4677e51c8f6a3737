"""PostgreSQL of the wheel: a cluster is made once, whole, and nobody connects without the password."""

from __future__ import annotations

import stat
from pathlib import Path

import asyncpg
import pytest

from cli.postgres import PostgresServer, PostgresUnusable, binaries

MARKER = "quincunx"


def test_the_wheel_holds_the_programs() -> None:
    assert {"initdb", "postgres"} <= {path.name for path in binaries().iterdir()}


def test_url_and_command_name_one_address_and_no_socket_in_the_file_system(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "data", 12345, "secret")
    assert server.url() == "postgresql://meetra:secret@127.0.0.1:12345/postgres"
    assert server.url("role", "a/b @?") == "postgresql://role:a%2Fb%20%40%3F@127.0.0.1:12345/postgres"
    command = server.command()
    assert "secret" not in " ".join(command)
    for option, value in (("-D", str(tmp_path / "data")), ("-h", "127.0.0.1"), ("-p", "12345"), ("-k", "")):
        assert command[command.index(option) + 1] == value


async def test_its_log_names_the_error_and_no_value(postgres: PostgresServer, database: object) -> None:
    connection = await asyncpg.connect(postgres.url())
    try:
        await connection.execute("CREATE TEMPORARY TABLE people (email text UNIQUE)")
        await connection.execute("INSERT INTO people VALUES ($1)", MARKER)
        with pytest.raises(asyncpg.UniqueViolationError) as raised:
            await connection.execute("INSERT INTO people VALUES ($1)", MARKER)
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await connection.execute(f"ALTER ROLE meetra PASSWORD '{MARKER}' OR")
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute(f"DO $$ BEGIN PERFORM 1 / length(''), '{MARKER}'; END $$")
    finally:
        await connection.close()
    assert MARKER in str(raised.value), "what asyncpg tells us"
    logged = (postgres.data.parent / "log").read_text()
    assert "duplicate key value violates unique constraint" in logged
    assert "syntax error" in logged
    assert "division by zero" in logged
    assert MARKER not in logged


@pytest.mark.children
def test_a_cluster_is_made_once_and_a_half_made_one_is_made_anew(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "data", 12345, "secret")
    half = tmp_path / "data"
    half.mkdir()
    (half / "base").touch()
    assert server.ensure_initialised()
    assert not server.ensure_initialised()
    assert not (half / "base").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"data"}
    assert stat.S_IMODE(half.stat().st_mode) == 0o700


@pytest.mark.children
def test_what_initdb_says_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    server = PostgresServer(tmp_path / "data", 12345, "")
    # initdb takes no empty password.
    with pytest.raises(PostgresUnusable, match=f"initdb failed in {tmp_path / 'data'}: .*password"):
        server.ensure_initialised()
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "initdb-password").exists()


async def test_a_wrong_password_is_refused(postgres: PostgresServer, database: object) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.url(password="wrong"))

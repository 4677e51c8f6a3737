"""Migrations: each once, in order, however many servers start at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from cli.postgres import PostgresServer
from server.storage.migrate import MIGRATIONS, migrate

ALL = sorted(path.name for path in MIGRATIONS.glob("*.sql"))


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


async def test_who_holds_a_table_is_waited_for_without_standing_in_the_way(empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE things (id integer)")
    await migrate(empty_url, tmp_path)
    reader, other = await asyncpg.connect(empty_url), await asyncpg.connect(empty_url)
    (tmp_path / "0002_second.sql").write_text("ALTER TABLE things ADD COLUMN name text")
    async with reader.transaction():
        await reader.execute("SELECT FROM things")
        migration = asyncio.create_task(migrate(empty_url, tmp_path, lock_wait_s=0.05, between_tries_s=0.05))
        # Others come between two tries, again and again, while the first one reads.
        for _ in range(20):
            await other.execute("SELECT FROM things", timeout=60)
            await asyncio.sleep(0.02)
        assert not migration.done()
    assert await migration == ["0002_second.sql"]
    await reader.close()
    await other.close()


def test_names_are_in_the_order_in_which_they_came() -> None:
    assert [int(name[:4]) for name in ALL] == list(range(1, len(ALL) + 1))

"""Schema migration: apply the .sql files of migrations/ in order, each once."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import asyncpg

MIGRATIONS = Path(__file__).with_name("migrations")
# Arbitrary, but equal for all servers that share a database.
ADVISORY_LOCK = 0x6D656574
# For a lock that another transaction holds. Who comes later waits behind one that waits for a lock of a whole table:
# the version that still serves would stand still for as long.
LOCK_WAIT_S = 2.0
BETWEEN_TRIES_S = 5.0
log = logging.getLogger(__name__)


def migration_names() -> list[str]:
    """Return the names of the migrations of this version, in their order."""
    return sorted(path.name for path in MIGRATIONS.glob("*.sql"))


async def migrate(
    url: str, folder: Path = MIGRATIONS, lock_wait_s: float = LOCK_WAIT_S, between_tries_s: float = BETWEEN_TRIES_S
) -> list[str]:
    """Apply missing migrations and return the names of the applied files.

    If several servers start at once, one migrates and the others wait. Each file is one transaction. Where another
    transaction holds what it locks, it is given up after ``lock_wait_s`` and tried again, for as long as it takes.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        known = {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}
        applied = []
        for name, sql in _without(known, folder):
            while not await _apply(connection, name, sql, lock_wait_s):
                log.warning("migration %s waits for other transactions; it is tried again", name)
                await asyncio.sleep(between_tries_s)
            log.info("applied migration %s", name)
            applied.append(name)
        return applied
    finally:
        await connection.close()


def _without(known: set[str], folder: Path) -> list[tuple[str, str]]:
    """Return name and text of the files that are not known, in their order."""
    return [
        (path.name, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql")) if path.name not in known
    ]


async def _apply(connection: asyncpg.Connection[asyncpg.Record], name: str, sql: str, lock_wait_s: float) -> bool:
    """Apply a file; return False, with nothing changed, if a lock was not to be had in time."""
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = {max(1, round(1000 * lock_wait_s))}")
            await connection.execute(sql)
            await connection.execute("INSERT INTO schema_migrations (name) VALUES ($1)", name)
    except asyncpg.LockNotAvailableError:
        return False
    return True

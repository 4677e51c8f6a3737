"""Schema migration: apply the .sql files of migrations/ in order, each once."""

from __future__ import annotations

import logging
from pathlib import Path

import asyncpg

MIGRATIONS = Path(__file__).with_name("migrations")
# Arbitrary, but equal for all servers that share a database.
ADVISORY_LOCK = 0x6D656574
log = logging.getLogger(__name__)


def migration_names() -> list[str]:
    """Return the names of the migrations of this version, in their order."""
    return sorted(path.name for path in MIGRATIONS.glob("*.sql"))


async def migrate(url: str) -> list[str]:
    """Apply missing migrations and return the names of the applied files.

    If several servers start at once, one migrates and the others wait. Each file is one transaction.
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
        for path in sorted(MIGRATIONS.glob("*.sql")):
            if path.name in known:
                continue
            async with connection.transaction():
                await connection.execute(path.read_text(encoding="utf-8"))
                await connection.execute("INSERT INTO schema_migrations (name) VALUES ($1)", path.name)
            log.info("applied migration %s", path.name)
            applied.append(path.name)
        return applied
    finally:
        await connection.close()

"""``meetra purge``: nothing of what was deleted stays in the database's files.

PostgreSQL only marks deleted rows as free space. The bytes stay in the table's file, in its indexes, in the statistics
of the planner and in the write-ahead log until something else is written there.
"""

from __future__ import annotations

import argparse

import asyncpg
from rich.console import Console

from cli.home import Home, running_system
from cli.superuser import record_everywhere, superuser_url

# A meeting that is being written holds its row for moments only.
LOCK_TIMEOUT = "60s"
_TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
# The planner keeps the most common values of each column, and those of a table that is now empty.
_FORGET_STATISTICS = """
SELECT pg_clear_attribute_stats('public', class.relname, attname, false)
FROM pg_attribute JOIN pg_class class ON class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
"""
_UNPURGED = "SELECT id FROM deletions WHERE purged_at IS NULL AND files_removed_at IS NOT NULL"
_PURGED = "UPDATE deletions SET purged_at = now() WHERE id = ANY($1::uuid[])"
_SIZE = "SELECT pg_database_size(current_database())"


class PurgeFailed(Exception):
    """The database could not be rewritten; the message says why and what to do."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command: it has none of its own."""


async def run_purge(arguments: argparse.Namespace) -> int:
    """Rewrite every table of the running system's database, and its write-ahead log; return 0.

    Tables are locked meanwhile, one after another: calls wait. Raises NotRunning and PurgeFailed.
    """
    running_system(arguments.data)
    home, console = Home(arguments.data.resolve()), Console(soft_wrap=True)
    try:
        connection = await asyncpg.connect(superuser_url(home), timeout=10)
        try:
            before = await connection.fetchval(_SIZE)
            # Those that are seen now are committed: their rows are not copied.
            receipts = [record["id"] for record in await connection.fetch(_UNPURGED)]
            await _rewrite(connection, console)
            await connection.execute(_PURGED, receipts)
            after = await connection.fetchval(_SIZE)
        finally:
            await connection.close()
        await record_everywhere(home, "meetra purge", "change")
    except (asyncpg.PostgresError, OSError) as error:
        raise PurgeFailed(f"the database was not rewritten ({error}); run it again when the system is quiet") from error
    console.print(
        f"The database has {after / 1e6:.1f} MB, {before / 1e6:.1f} MB before; nothing of deleted rows is left."
    )
    return 0


async def _rewrite(connection: asyncpg.Connection, console: Console) -> None:
    await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    await connection.execute(_FORGET_STATISTICS)
    tables = [record[0] for record in await connection.fetch(_TABLES)]
    for table in tables:
        console.print(f"rewriting {table}", highlight=False)
        await connection.execute(f"VACUUM (FULL, ANALYZE) {table}")
    await connection.execute("VACUUM (FULL) pg_catalog.pg_statistic")
    # A checkpoint removes the log before it; ``wal_recycle`` is off, so that files go instead of being used again. The
    # first one ends in the log file of what was rewritten, the second after it.
    for _ in range(2):
        await connection.execute("SELECT pg_switch_wal()")
        await connection.execute("CHECKPOINT")

"""Analyses held at a known point: where the models are at work, and say so for the first time.

A trigger in the database waits there for a lock that the test holds. Nothing depends on how fast the machine is.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.e2e.conftest import System

LOCK = 0x6D656574
# Left behind: it is for one recording, and waits for nobody once the lock is free.
TRIGGER = """
CREATE FUNCTION wait_{hash}() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock_shared({lock}); RETURN NEW; END $$;
CREATE TRIGGER wait_{hash} BEFORE UPDATE ON meetings FOR EACH ROW
WHEN (NEW.file_hash = '{hash}' AND NEW.stage = 'analysing') EXECUTE FUNCTION wait_{hash}();
"""


class Checkpoint:
    """The point; whatever reaches it waits."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection

    async def reached(self) -> None:
        """Returns when an analysis waits."""
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted"
        while not await self._connection.fetchval(waiting, LOCK):
            await asyncio.sleep(0.02)

    async def let_one_pass(self) -> None:
        """Lets the one that waits go on; the next one waits."""
        await self._connection.execute("SELECT pg_advisory_unlock($1)", LOCK)
        await self._connection.execute("SELECT pg_advisory_lock($1)", LOCK)


@asynccontextmanager
async def held(system: System, recording: bytes) -> AsyncIterator[Checkpoint]:
    """The analyses of a recording are held within the context, and go on after it."""
    connection = await asyncpg.connect(system.database_url)
    try:
        await connection.execute(TRIGGER.format(hash=hashlib.sha256(recording).hexdigest(), lock=LOCK))
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        yield Checkpoint(connection)
    finally:
        connection.terminate()

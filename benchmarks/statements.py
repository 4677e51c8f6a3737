"""Which SQL statements a call costs, and how PostgreSQL finds the rows of each."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from benchmarks.running_system import RunningSystem
from cli.database_roles import RUNTIME

# A worker looks for work every second; in so long each of its connections has shown itself.
WORKERS_SHOW_WITHIN_S = 3.0
LOGGED_WITHIN_S = 10.0
_AROUND = ("BEGIN", "COMMIT", "SELECT set_config(")
_PARAMETER = re.compile(r"\$\d+")
_ENTRY = re.compile(r"^(?P<pid>\d+) \w+: +(?:execute [^:]*|statement): (?P<sql>.*)$")


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """A statement that a backend ran."""

    pid: int
    sql: str


def statements_in(log: str) -> Iterator[SqlStatement]:
    """The statements in PostgreSQL's log; lines that begin with a tab go on with the one before."""
    joined = log.replace("\n\t", " ")
    for line in joined.splitlines():
        if match := _ENTRY.match(line):
            yield SqlStatement(int(match["pid"]), match["sql"].strip())


class StatementLog:
    """Reads what the database was asked from its log."""

    def __init__(
        self, connection: asyncpg.Connection[asyncpg.Record], path: Path, ignored_pids: frozenset[int]
    ) -> None:
        self._connection = connection
        self._path = path
        self._ignored_pids = ignored_pids

    async def statements_of(self, call: Callable[[], Awaitable[None]]) -> list[str]:
        """The statements that ``call`` costs once its connection is open and its user is known.

        Those that begin and end a transaction and set its organization are left out.

        A user is looked up anew every few seconds; a call that this falls into is repeated.
        """
        await call()
        while True:
            found = await self._during(call)
            if not any("user_by_id(" in sql for sql in found):
                return [sql for sql in found if not sql.startswith(_AROUND)]

    async def statements_of_all(self, call: Callable[[], Awaitable[object]]) -> list[str]:
        """The statements of all processes while ``call`` runs, those left out that ``statements_of`` leaves out."""
        found = await self._between(call, frozenset({self._connection.get_server_pid()}))
        return [sql for sql in found if not sql.startswith(_AROUND)]

    async def _during(self, call: Callable[[], Awaitable[None]]) -> list[str]:
        return await self._between(call, self._ignored_pids)

    async def _between(self, call: Callable[[], Awaitable[object]], ignored_pids: frozenset[int]) -> list[str]:
        before = await self.mark()
        await call()
        after = await self.mark()
        log = self._path.read_text(encoding="utf-8", errors="replace")
        between = log[log.index(before) : log.index(after)]
        return [s.sql for s in statements_in(between) if s.pid not in ignored_pids and after not in s.sql]

    async def mark(self) -> str:
        """Writes a mark into the log and waits until it is there."""
        mark = f"mark {uuid4().hex}"
        await self._connection.execute(f"SELECT '{mark}'")
        for _ in range(round(LOGGED_WITHIN_S / 0.05)):
            if mark in self._path.read_text(encoding="utf-8", errors="replace"):
                return mark
            await asyncio.sleep(0.05)
        raise RuntimeError(f"PostgreSQL does not write its statements to {self._path}")

    async def plan(self, sql: str) -> list[str]:
        """The scans of a statement's plan for the servers' role, whatever its parameters.

        Each as ``Index Scan of insights (insights_pkey)``.
        """
        if not sql.upper().startswith(("SELECT", "WITH")):
            return []
        places = len(set(_PARAMETER.findall(sql)))
        unknown = f"({', '.join(['NULL'] * places)})" if places else ""
        await self._connection.execute(f"SET plan_cache_mode = force_generic_plan; SET ROLE {RUNTIME}")
        await self._connection.execute(f"PREPARE asked AS {sql}")
        document = await self._connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{unknown}")
        await self._connection.execute("DEALLOCATE asked; RESET ROLE")
        return list(_scans(json.loads(document)[0]["Plan"]))


def _scans(node: dict[str, Any]) -> Iterator[str]:
    if "Relation Name" in node or "Index Name" in node:
        index = f" ({node['Index Name']})" if "Index Name" in node else ""
        yield f"{node['Node Type']} of {node.get('Relation Name', 'the same')}{index}"
    for inner in node.get("Plans", ()):
        yield from _scans(inner)


@asynccontextmanager
async def statement_log(system: RunningSystem) -> AsyncIterator[StatementLog]:
    """Lets the system's database log every statement meanwhile."""
    connection = await asyncpg.connect(system.superuser_url)
    path = system.data / "logs" / "postgres.log"
    try:
        await connection.execute("ALTER SYSTEM SET log_line_prefix = '%p '")
        await connection.execute("SELECT pg_reload_conf()")
        # The server's command line says that nothing is logged; a role's setting counts more, in sessions that begin.
        await connection.execute(f"SET log_statement = 'all'; ALTER ROLE {RUNTIME} SET log_statement = 'all'")
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", RUNTIME)
        await asyncio.sleep(WORKERS_SHOW_WITHIN_S)
        seen = statements_in(path.read_text(encoding="utf-8", errors="replace"))
        ignored_pids = {connection.get_server_pid(), *(s.pid for s in seen if "lock_due_job(" in s.sql)}
        yield StatementLog(connection, path, frozenset(ignored_pids))
    finally:
        await connection.execute(f"ALTER ROLE {RUNTIME} RESET log_statement")
        await connection.execute("ALTER SYSTEM RESET log_line_prefix")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()

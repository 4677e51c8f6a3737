"""What a call costs when an organization has many meetings: p95 of reads, lists, searches and deletions.

    python -m benchmarks.growth [--few 100] [--many 100000] [--calls 100] [--json FILE]

A meeting is analysed, and its rows are copied, each copy under a name, a hash and a time of its own, until there are
``--few`` meetings; every call is timed; then the same with ``--many``. Reads are of meetings taken at random. ``ratio``
is the p95 with many over the p95 with few, in one run, through the same gateway. For lists and searches also the
processor time of all processes, a call: on a busy machine it says more than the clock. Then how much an hour of
meetings takes in each table with its indexes, and the scans in the plans of all statements that these calls ran (from
PostgreSQL's log): a sequential scan reads a whole table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import md5
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import numpy as np
import psutil

from benchmarks.rest import PATHS, SAMPLE, timed
from benchmarks.running_system import RunningSystem, circumstances, running_system
from benchmarks.statements import statement_log

S, M = "/single-feature-api", "/single-feature-api/meeting"
LISTS = {
    "list": f"{S}/meetings",
    "list by name": f"{S}/meetings?sort=name",
    "list by date": f"{S}/meetings?sort=-date",
    "list by length": f"{S}/meetings?sort=-duration",
    "list, words of a name": f"{S}/meetings?search=weekly+{{number}}",
    "list, a person": f"{S}/meetings?person=Speaker+1",
    "list, nobody": f"{S}/meetings?person=Nobody",
    "list, failed": f"{S}/meetings?status=failed",
    "scores": "/api/organization/meeting-scores",
    "usage": "/api/organization/usage",
    "receipts of deletions": "/api/organization/deletions",
    "audit log": "/api/organization/audit",
    "audit log of a meeting": "/api/organization/audit?object={hash}",
    "search by words": "/api/search?by=words&query=budget",
    "search by a rare word": "/api/search?by=words&query=weekly00{number}",
    "search by meaning": "/api/search?by=meaning&query=how+much+money+is+left",
    "search by words and meaning": "/api/search?query=how+much+money+is+left",
}
# Tables of a meeting that are not copied: they say what was done with one.
NOT_COPIED = ("deletions", "consents", "jobs", "webhook_events", "webhook_deliveries", "live_meetings", "live_events")
DELETED = 40
AT_ONCE = 2000

Call = Callable[[], Awaitable[None]]


class Copies:
    """Copies of one analysed meeting in the database of a system."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], meeting_id: str) -> None:
        self._connection, self._meeting_id = connection, meeting_id
        self.count = 0

    async def grow(self, count: int) -> None:
        """Copy the meeting until there are ``count`` copies, and let the planner know."""
        tables = [
            record["table_name"]
            for record in await self._connection.fetch(
                "SELECT table_name FROM information_schema.columns JOIN information_schema.tables"
                " USING (table_schema, table_name) WHERE table_schema = 'public' AND column_name = 'meeting_id'"
                " AND table_type = 'BASE TABLE' AND table_name <> ALL ($1) ORDER BY table_name <> 'search_meetings'",
                list(NOT_COPIED),
            )
        ]
        statements = [await self._statement("meetings"), *[await self._statement(table) for table in tables]]
        while self.count < count:
            numbers = range(self.count, min(count, self.count + AT_ONCE))
            async with self._connection.transaction():
                # Nothing of a copy is announced, checked or counted: it is what the original was.
                await self._connection.execute("SET LOCAL session_replication_role = replica")
                for statement in statements:
                    await self._connection.execute(statement, self._meeting_id, numbers.start, numbers.stop - 1)
            self.count = numbers.stop
            print(f"\r{self.count} meetings", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        await self._connection.execute("VACUUM (ANALYZE)")
        # What was written is on the disk before calls are timed.
        await self._connection.execute("CHECKPOINT")

    async def _statement(self, table: str) -> str:
        """The copy of a table's rows of the meeting for the numbers $2 to $3."""
        copied = "(md5($1::text || n))::uuid"
        own = {
            "meeting_id": copied,
            "id": copied if table == "meetings" else "gen_random_uuid()",
            "file_hash": "md5(n::text) || md5((n + 1)::text)",
            "name": "'weekly ' || lpad(n::text, 6, '0')",
            "created_at": "t.created_at - n * interval '7 minutes'",
            "held_on": "NULL",
        }
        columns = await self._connection.fetch(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name = $1 AND is_generated = 'NEVER' AND is_identity = 'NO'",
            table,
        )
        typed = {record["column_name"]: record["data_type"] for record in columns}
        if typed.get("id", "uuid") != "uuid":
            typed.pop("id")
        if table not in ("meetings", "meeting_names"):
            own.pop("name")
        if table == "search_sentences":
            # A word that stands in one meeting alone.
            own["words"] = "t.words || to_tsvector('simple', 'weekly' || lpad(n::text, 8, '0'))"
        values = ", ".join(own.get(name, f"t.{name}") for name in typed)
        where = "id" if table == "meetings" else "meeting_id"
        return (
            f"INSERT INTO {table} ({', '.join(typed)}) SELECT {values} FROM {table} t,"
            # A meeting's rows lie together, as those that are written at once do.
            f" generate_series($2::int, $3::int) n WHERE t.{where} = $1::uuid ORDER BY n"
        )


def file_hash(number: int) -> str:
    """The hash under which a copy is found."""
    return "".join(md5(str(n).encode(), usedforsecurity=False).hexdigest() for n in (number, number + 1))


class Caller:
    """Calls of one user, of meetings taken at random."""

    def __init__(self, http: httpx.AsyncClient, copies: Copies) -> None:
        self._http, self._copies = http, copies
        self._random = random.Random(0)

    def kinds(self) -> dict[str, Call]:
        """Every read, list and search by name."""
        reads = {path: self._read(path) for path in PATHS}
        return reads | {name: self._list(path) for name, path in LISTS.items()}

    def _read(self, path: str) -> Call:
        async def call() -> None:
            number = self._random.randrange(DELETED, self._copies.count)
            joined = f"{path}{'&' if '?' in path else '?'}file-hash={file_hash(number)}"
            (await self._http.get(joined)).raise_for_status()

        return call

    def _list(self, path: str) -> Call:
        async def call() -> None:
            number = self._random.randrange(DELETED, self._copies.count)
            asked = path.format(number=f"{number:06}", hash=file_hash(number))
            (await self._http.get(asked)).raise_for_status()

        return call

    async def deletions(self, first: int) -> list[float]:
        """Milliseconds of each of half of the deletions, from a number on."""
        found = []
        for number in range(first, first + DELETED // 2):
            start = time.perf_counter()
            answer = await self._http.delete(f"{M}?file-hash={file_hash(number)}")
            answer.raise_for_status()
            found.append(1000 * (time.perf_counter() - start))
        return found


async def measure(system: RunningSystem, few: int, many: int, calls: int) -> dict[str, Any]:
    """The figures: rows of p95 in milliseconds, and the scans of the statements."""
    async with system.client() as client:
        receipt = await client.upload(SAMPLE, name="weekly")
        await client.wait(receipt.file_hash)
        token = await client.token()
    connection = await asyncpg.connect(system.superuser_url, timeout=60)
    meeting_id = await connection.fetchval("SELECT id FROM meetings WHERE file_hash = $1", receipt.file_hash)
    # The worker files it for searches a moment after it is ready.
    while not await connection.fetchval("SELECT EXISTS (SELECT FROM search_sentences)"):
        await asyncio.sleep(0.2)
    copies = Copies(connection, str(meeting_id))
    times: list[dict[str, list[float]]] = []
    processor: list[dict[str, float]] = []
    sizes: list[dict[str, int]] = []
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=system.gateway, headers=headers, timeout=300) as http:
        caller = Caller(http, copies)
        for turn, count in enumerate((few, many)):
            await copies.grow(count)
            sizes.append(await sizes_of_tables(connection))
            found = await timed(calls, caller.kinds())
            times.append(found | {"delete": await caller.deletions(turn * DELETED // 2)})
            processor.append(await processor_times(system, calls, {name: caller.kinds()[name] for name in LISTS}))
        async with statement_log(system) as log:
            statements = {name: await log.statements_of(call) for name, call in caller.kinds().items()}
            unique = dict.fromkeys(sql for found in statements.values() for sql in found)
            plans = {sql: await log.plan(sql) for sql in unique}
    size = await connection.fetchval("SELECT pg_database_size(current_database())")
    # A table of a few pages, as the audit log of these calls, is read whole whatever its indexes.
    grown = await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > $1", many // 2)
    whole = {f"Seq Scan of {record['relname']}" for record in grown}
    hours = await connection.fetchval("SELECT duration_ms / 3600000.0 FROM meetings LIMIT 1")
    await connection.close()
    grew = {table: (size - sizes[0][table]) / (many - few) / float(hours) for table, size in sizes[1].items()}
    return {
        "few": few,
        "many": many,
        "calls": calls,
        "database_bytes": size,
        "bytes_of_an_hour": {table: round(each) for table, each in sorted(grew.items()) if each >= 1},
        "rows": [_row(name, times[0][name], times[1][name]) for name in times[0]],
        "processor_ms": {name: [one[name] for one in processor] for name in LISTS},
        "sequential": [sql for sql, scans in plans.items() if whole & set(scans)],
        "plans": [{"statement": sql, "scans": scans} for sql, scans in plans.items()],
    }


async def processor_times(system: RunningSystem, calls: int, kinds: dict[str, Call]) -> dict[str, float]:
    """Milliseconds of processor time that a call of each kind costs all processes of the system together."""
    roots = [psutil.Process(system.pid(name)) for name in ("postgres", "api", "envoy", "inference")]

    def spent() -> dict[int, float]:
        # Connections are processes of their own, and stay; what the database does for itself comes and goes.
        found = {}
        for process in (process for root in roots for process in (root, *root.children(recursive=True))):
            with suppress(psutil.NoSuchProcess):
                if "autovacuum" not in " ".join(process.cmdline()):
                    found[process.pid] = 1000 * sum(process.cpu_times()[:2])
        return found

    found = {}
    for name, call in kinds.items():
        before = spent()
        for _ in range(calls):
            await call()
        found[name] = round(sum(after - before.get(pid, 0) for pid, after in spent().items()) / calls, 1)
    return found


async def sizes_of_tables(connection: asyncpg.Connection[asyncpg.Record]) -> dict[str, int]:
    """Bytes of each table with its indexes."""
    rows = await connection.fetch(
        "SELECT relname, pg_total_relation_size(oid) AS bytes FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    return {row["relname"]: row["bytes"] for row in rows}


def _row(name: str, few: list[float], many: list[float]) -> dict[str, Any]:
    p95 = [float(np.percentile(values, 95)) for values in (few, many)]
    return {
        "name": name,
        "few_p95_ms": round(p95[0], 1),
        "many_p95_ms": round(p95[1], 1),
        "ratio": round(p95[1] / p95[0], 2),
    }


def main() -> int:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--few", type=int, default=100, help="meetings at first")
    parser.add_argument("--many", type=int, default=100_000, help="meetings in the end")
    parser.add_argument("--calls", type=int, default=100, help="number of calls of each kind")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    # Nobody is refused for what an organization of this size stores.
    settings = {"MEETRA_QUOTA_STORED_BYTES": str(1 << 50)}
    with running_system(settings) as system:
        figures = asyncio.run(measure(system, options.few, options.many, options.calls))
    print(f"{figures['many']} meetings, {figures['database_bytes'] / 1e9:.2f} GB; p95 in ms of {options.calls} calls")
    print(f"{'call':<62}{options.few:>10}{options.many:>10}{'ratio':>8}")
    for row in figures["rows"]:
        print(f"{row['name']:<62}{row['few_p95_ms']:>10}{row['many_p95_ms']:>10}{row['ratio']:>8}")
    print(f"\n{'processor time of a call, ms':<62}{options.few:>10}{options.many:>10}{'ratio':>8}")
    for name, (few, many) in figures["processor_ms"].items():
        print(f"{name:<62}{few:>10}{many:>10}{many / max(few, 0.1):>8.2f}")
    print(f"\nbytes of an hour of meetings: {sum(figures['bytes_of_an_hour'].values())}")
    for table, size in figures["bytes_of_an_hour"].items():
        print(f"  {table:<30}{size:>12}")
    print(f"\nstatements with a sequential scan: {len(figures['sequential'])}")
    for plan in figures["plans"]:
        if plan["statement"] in figures["sequential"]:
            print(f"\n{' '.join(plan['statement'].split())[:600]}")
            print("\n".join(f"  {scan}" for scan in plan["scans"]))
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

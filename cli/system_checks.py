"""What ``meetra doctor`` looks at in a running system: its answers, its database, its logs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cli.account import IMPATIENCE, client_of, described_account
from cli.backup_store import RestoredObjects, store_of_system
from cli.findings import Finding, State
from cli.home import Home
from cli.log_lines import parse_log_line
from meetra_client import MeetraError
from server.audio import StoreUnavailable
from server.storage import Connection, Database, DatabaseUnavailable, migration_names

# Jobs that are due for longer wait for something else than a free place.
LONG_WAIT = timedelta(minutes=10)
# As far back as logs are read.
RECENT = timedelta(hours=1)
# Bytes of the end of a log that are read.
TAIL = 256 * 1024


async def check_answers(system: dict[str, Any]) -> list[Finding]:
    """Log in as the demo user and list meetings, through the gateway."""
    address = system["gateway"]
    try:
        async with client_of(described_account(system), IMPATIENCE) as client:
            async for _ in client.meetings(page_size=1):
                break
    except MeetraError as error:
        fix = "see the logs of envoy and api in the data folder; if the process was killed, start it again: make run"
        return [Finding("gateway", State.WRONG, f"{address}: {error}", fix)]
    return [Finding("gateway", State.GOOD, f"{address} logs in and answers")]


async def check_database(home: Home) -> list[Finding]:
    """Look at the schema and at what waits for the worker."""
    try:
        database = await Database.connect(home.database_url_file.read_text(encoding="utf-8").strip(), patience_s=2)
    except (OSError, DatabaseUnavailable) as error:
        return [Finding("database", State.WRONG, str(error), "see postgres.log in the data folder; start again")]
    try:
        return [await database.run(_schema), await database.run(_queue)]
    finally:
        await database.close()


async def check_store(home: Home) -> list[Finding]:
    """Look whether the object store of the running system answers, if it has one."""
    try:
        store = store_of_system(home)
        if store is None:
            return []
        await RestoredObjects(store).holds_any()
    except StoreUnavailable as error:
        fix = "see the store's bucket, the variables with its credentials, and the network (docs/deployment.md)"
        return [Finding("object store", State.WRONG, str(error), fix)]
    return [Finding("object store", State.GOOD, f"{store.url} answers")]


async def _schema(connection: Connection) -> Finding:
    known = {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}
    files = set(migration_names())
    if missing := sorted(files - known):
        return Finding(
            "database", State.WRONG, f"migrations are missing: {', '.join(missing)}", "start the system again"
        )
    if newer := sorted(known - files):
        text = f"a newer version has migrated it: {', '.join(newer)}"
        fix = "go on to that version; the one before it may serve meanwhile (docs/operating.md#upgrading)"
        return Finding("database", State.ADVICE, text, fix)
    return Finding("database", State.GOOD, f"reachable, {len(known)} migrations")


async def _queue(connection: Connection) -> Finding:
    row = await connection.fetchrow(
        "SELECT count(*) AS jobs, count(*) FILTER (WHERE lease_until > now()) AS running,"
        " max(now() - run_at) FILTER (WHERE lease_until IS NULL OR lease_until <= now()) AS waits FROM jobs"
    )
    assert row is not None
    waits = row["waits"] or timedelta()
    minutes = int(waits.total_seconds()) // 60
    text = f"{row['running']} analyses run, {row['jobs'] - row['running']} wait"
    if waits > LONG_WAIT and not row["running"]:
        fix = "the worker is not working: see worker.log in the data folder"
        return Finding("analyses", State.WRONG, f"{text}, the first for {minutes} minutes", fix)
    if waits > LONG_WAIT:
        fix = "more workers, or more processors, would shorten the queue (docs/performance.md)"
        return Finding("analyses", State.ADVICE, f"{text}, the first for {minutes} minutes", fix)
    return Finding("analyses", State.GOOD, text)


def check_logs(home: Home, now: datetime | None = None) -> Finding:
    """Look for errors of the last hour in the logs."""
    since = (now or datetime.now(UTC)) - RECENT
    found: dict[str, list[str]] = {}
    for path in sorted(home.logs.glob("*.log")):
        if errors := [text for moment, text in _errors(path) if moment >= since]:
            found[path.name] = errors
    if not found:
        return Finding("logs", State.GOOD, "no errors in the last hour")
    counts = ", ".join(f"{name}: {len(errors)}" for name, errors in found.items())
    last = next(reversed(found.values()))[-1]
    return Finding("logs", State.ADVICE, f"errors in the last hour: {counts}; the last: {last[:200]}", str(home.logs))


def _errors(path: Path) -> list[tuple[datetime, str]]:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        lines = file.read().decode("utf-8", "replace").splitlines()
    said = filter(None, map(parse_log_line, lines))
    return [(line.time, line.text) for line in said if line.level in ("ERROR", "CRITICAL")]

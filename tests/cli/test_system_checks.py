"""What `meetra doctor` says of a system: its database, its queue, its logs."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cli.database_roles import OWNER
from cli.findings import Finding, State
from cli.home import Home
from cli.postgres import PostgresServer
from cli.system_checks import check_answers, check_database, check_logs
from server.storage.pool import Database
from tests.server.storage.rows import HASH, make_user, queued_meeting


@pytest.fixture
def home(postgres: PostgresServer, database_name: str, tmp_path: Path) -> Home:
    """A data folder whose system has the test's database."""
    home = Home(tmp_path)
    home.prepare()
    home.database_url_file.write_text(postgres.url(OWNER).removesuffix("/postgres") + f"/{database_name}")
    return home


async def found(home: Home) -> dict[str, Finding]:
    return {finding.about: finding for finding in await check_database(home)}


async def test_a_database_as_it_should_be(home: Home, owner: Database) -> None:
    states = await found(home)
    assert {name: finding.state for name, finding in states.items()} == {"database": State.GOOD, "analyses": State.GOOD}
    assert states["analyses"].text == "0 analyses run, 0 wait"


async def test_missing_and_newer_migrations_are_told(home: Home, owner: Database) -> None:
    await owner.run(lambda c: c.execute("INSERT INTO schema_migrations (name) VALUES ('9999_of_later.sql')"))
    newer = (await found(home))["database"]
    assert newer.state is State.ADVICE
    assert "9999_of_later.sql" in newer.text
    await owner.run(lambda c: c.execute("DELETE FROM schema_migrations WHERE name LIKE '0001%' OR name LIKE '9999%'"))
    missing = (await found(home))["database"]
    assert missing.state is State.WRONG
    assert "0001_initial.sql" in missing.text


async def test_a_queue_that_nobody_works_at_is_told(home: Home, owner: Database, database: Database) -> None:
    await queued_meeting(database, await make_user(owner, "Acme"), HASH)
    assert (await found(home))["analyses"].state is State.GOOD
    await owner.run(lambda c: c.execute("UPDATE jobs SET run_at = now() - interval '20 minutes'"))
    idle = (await found(home))["analyses"]
    assert (idle.state, idle.text) == (State.WRONG, "0 analyses run, 1 wait, the first for 20 minutes")
    await owner.run(lambda c: c.execute("UPDATE jobs SET run_at = now() - interval '2 days'"))
    assert (await found(home))["analyses"].text == "0 analyses run, 1 wait, the first for 2880 minutes"


async def test_a_database_that_is_gone_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    home.database_url_file.write_text("postgresql://meetra@127.0.0.1:1/postgres")
    (gone,) = await check_database(home)
    assert gone.state is State.WRONG


async def test_a_gateway_that_is_gone_is_told() -> None:
    (gone,) = await check_answers({"gateway": "http://127.0.0.1:1", "email": "a@example.org", "password": "x"})
    assert gone.state is State.WRONG
    assert "http://127.0.0.1:1" in gone.text


def test_only_errors_of_the_last_hour_are_told(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    now = datetime.now().astimezone()
    lines = [
        f"{now - timedelta(hours=3):%Y-%m-%d %H:%M:%S},000 ERROR server: long ago",
        f"{now - timedelta(minutes=3):%Y-%m-%d %H:%M:%S},000 WARNING server: no error",
        "no line of ours: ERROR",
    ]
    (home.logs / "worker.log").write_text("\n".join(lines))
    assert check_logs(home).state is State.GOOD
    lines.append(f"{now - timedelta(minutes=2):%Y-%m-%d %H:%M:%S},000 ERROR server.meetings: analysis failed")
    (home.logs / "worker.log").write_text("\n".join(lines))
    told = check_logs(home)
    assert told.state is State.ADVICE
    assert "worker.log: 1; the last: server.meetings: analysis failed" in told.text
    said = {"time": now.isoformat(), "level": "CRITICAL", "logger": "server", "message": "ended by an error"}
    (home.logs / "worker.log").write_text(json.dumps(said))
    assert "worker.log: 1; the last: server: ended by an error" in check_logs(home).text

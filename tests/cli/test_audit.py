"""``meetra audit``, and what the operator's other commands leave in the log; in a real database."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest

from cli.__main__ import parser
from cli.audit import NoSuchOrganization, run_audit
from cli.database_roles import OWNER
from cli.keys import run_keys
from cli.organizations import run_organizations
from cli.postgres import PostgresServer
from cli.users import run_users

Run = Callable[..., Awaitable[str]]
COMMANDS = {"audit": run_audit, "keys": run_keys, "organizations": run_organizations, "users": run_users}


@pytest.fixture
def run(
    postgres: PostgresServer,
    database_name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs a command and returns what it prints."""
    url = postgres.url(OWNER).removesuffix("/postgres") + f"/{database_name}"
    monkeypatch.setenv("MEETRA_DATABASE_OWNER_URL", url)

    async def command(*arguments: str) -> str:
        assert await COMMANDS[arguments[0]](parser().parse_args([*arguments])) == 0
        return capsys.readouterr().out

    return command


async def test_what_the_operator_changes_is_in_the_log_and_what_fails_is_not(run: Run) -> None:
    await run("users", "add", "a@example.org", "--organization", "Acme")
    await run("users", "add", "b@example.org", "--organization", "Acme")
    await run("users", "role", "b@example.org", "--role", "bot")
    said = await run("keys", "add", "b@example.org", "--name", "a bot", "--scope", "live")
    key = said.split()[1]
    await run("keys", "revoke", key)
    await run("organizations", "Acme", "--uploads-at-once", "3")
    await run("users", "delete", "b@example.org")
    with pytest.raises(Exception, match="not found"):
        await run("users", "delete", "b@example.org")
    events = [json.loads(line) for line in (await run("audit", "Acme", "--json")).splitlines()]
    assert [(event["method"], event["action"]) for event in events] == [
        # Reading it is in it already.
        ("meetra audit", "read"),
        ("meetra users delete", "delete"),
        ("meetra organizations", "change"),
        ("meetra keys revoke", "delete"),
        ("meetra keys add", "change"),
        ("meetra users role", "change"),
        ("meetra users add", "change"),
        ("meetra users add", "change"),
    ]
    assert {event["actor"] for event in events} == {"operator"}
    assert [event["object_id"] for event in events[3:5]] == [key, key]
    assert "example.org" not in json.dumps(events)


async def test_filters_and_lines_for_people(run: Run) -> None:
    await run("users", "add", "a@example.org", "--organization", "Acme")
    (line,) = (await run("audit", "Acme", "--action", "change")).splitlines()
    assert "change  meetra users add  user " in line
    assert line.endswith("by operator  from -  OK")
    assert await run("audit", "Acme", "--until", "2020-01-01") == ""
    assert len((await run("audit", "Acme", "--since", "2020-01-01T00:00:00Z", "--actor", "operator")).splitlines()) == 4


async def test_an_organization_that_is_none(run: Run) -> None:
    with pytest.raises(NoSuchOrganization, match="organization not found: Nobody"):
        await run("audit", "Nobody")
    with pytest.raises(SystemExit):
        await run("audit", "Acme", "--since", "yesterday")

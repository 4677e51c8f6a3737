"""``meetra users``, in a real database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cli.__main__ import parser
from cli.database_roles import OWNER
from cli.postgres import PostgresServer
from cli.users import NoSuchUser, run_users
from server.auth import password_matches
from server.storage import EmailTaken, users
from server.storage.pool import Database
from server.storage.users import User

Command = Callable[..., Awaitable[str]]
ADA = "ada@example.org"


@pytest.fixture
def meetra_users(
    postgres: PostgresServer,
    database_name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """Runs an action; what it printed."""
    url = postgres.url(OWNER).removesuffix("/postgres") + f"/{database_name}"
    monkeypatch.setenv("MEETRA_DATABASE_OWNER_URL", url)

    async def run(*arguments: str) -> str:
        assert await run_users(parser().parse_args(["users", *arguments])) == 0
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("arguments", [["users", "--data", "d", "list"], ["users", "list", "--data", "d"]])
def test_the_data_folder_is_taken_before_the_action_and_after_it(arguments: list[str]) -> None:
    assert parser().parse_args(arguments).data == Path("d")


async def ada(owner: Database) -> User:
    user = await owner.run(lambda c: users.find_by_email(c, ADA))
    assert user is not None
    return user


async def test_a_user_is_added_given_another_password_and_listed(meetra_users: Command, owner: Database) -> None:
    for role in ((), ("--role", "bot")):
        said = await meetra_users("add", ADA, "--organization", "Org", *role)
        assert password_matches((await ada(owner)).password_hash or "", said.split("password ")[1].split()[0])
    await meetra_users("add", "grace@example.org", "--organization", "Org")
    await meetra_users("add", "eve@example.org")
    assert (await meetra_users("list", "--organization", "Org")).splitlines() == [
        "ada@example.org  Org  bot  enabled",
        "grace@example.org  Org  member  enabled",
    ]
    assert "eve@example.org  Demo  owner  enabled" in await meetra_users("list")


async def test_a_user_of_another_organization_is_not_added(meetra_users: Command, owner: Database) -> None:
    await meetra_users("add", ADA, "--organization", "Org")
    before = await ada(owner)
    with pytest.raises(EmailTaken, match="another organization than Demo: delete that user first"):
        await meetra_users("add", ADA)
    assert await ada(owner) == before


async def test_a_user_is_changed_and_deleted(meetra_users: Command, owner: Database) -> None:
    await meetra_users("add", ADA)
    before = await ada(owner)
    assert await meetra_users("role", ADA, "--role", "reader") == f"{ADA} has the role reader\n"
    assert await meetra_users("disable", ADA.upper()) == f"{ADA.upper()} is disabled\n"
    changed = await ada(owner)
    assert (changed.role, changed.disabled, changed.token_generation) == ("reader", True, before.token_generation + 1)
    await meetra_users("enable", ADA)
    await meetra_users("revoke", ADA)
    changed = await ada(owner)
    assert (changed.disabled, changed.token_generation) == (False, before.token_generation + 2)
    await meetra_users("delete", ADA)
    assert await meetra_users("list") == ""


@pytest.mark.parametrize("action", ["disable", "enable", "revoke", "delete"])
async def test_who_is_no_user_is_named(meetra_users: Command, action: str) -> None:
    with pytest.raises(NoSuchUser, match=f"user not found: {ADA}"):
        await meetra_users(action, ADA)

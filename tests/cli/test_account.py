"""Which server a command asks, and as whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.__main__ import parser
from cli.account import BadAddress, client_of, resolve_account
from cli.home import Home, NotRunning
from meetra_client import Account
from privacy import write_private

HERE = Account("http://here", email="demo", password="secret")
ALL = {
    "MEETRA_URL": "http://there",
    "MEETRA_TOKEN": "a token",
    "MEETRA_EMAIL": "ada",
    "MEETRA_PASSWORD": "of the environment",
}
KEY = {**ALL, "MEETRA_TOKEN": "mk_a"}
ELSEWHERE = ("--gateway", "http://there", "--email", "ada")
THERE = Account("http://there", email="ada", password="of the environment")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The data of a running system."""
    made = Home(tmp_path)
    made.prepare()
    write_private(made.ready_file, '{"gateway": "http://here", "email": "demo", "password": "secret"}')
    return tmp_path


def resolved(environment: dict[str, str], *arguments: str) -> Account:
    return resolve_account(parser().parse_args(["analyze", "a.wav", *arguments]), environment)


def test_the_system_of_a_data_folder_is_asked_as_its_demo_user_whatever_the_environment_says(home: Path) -> None:
    for environment in ({}, ALL):
        assert resolved(environment, "--data", str(home)) == HERE
    assert resolved({}, "--data", str(home), "--email", "ada").email == "ada"
    with pytest.raises(NotRunning):
        resolved(ALL, "--data", str(home / "nothing"))


@pytest.mark.parametrize(
    ("environment", "arguments", "account"),
    [
        pytest.param(ALL, (), THERE, id="all of the environment"),
        pytest.param(KEY, (), Account("http://there", token="mk_a"), id="an API key"),
        pytest.param(KEY, ("--gateway", "http://x"), Account("http://x", token="mk_a"), id="a gateway"),
        pytest.param(KEY, ("--email", "ada"), THERE, id="an email comes before the key"),
        pytest.param(
            ALL,
            (*ELSEWHERE, "--password", "stated"),
            Account("http://there", email="ada", password="stated"),
            id="all stated",
        ),
    ],
)
def test_options_come_before_the_environment(
    environment: dict[str, str], arguments: tuple[str, ...], account: Account
) -> None:
    assert resolved(environment, *arguments) == account


def test_beside_a_data_folder_the_environment_has_the_password_of_a_stated_email(home: Path) -> None:
    assert resolved(ALL, *ELSEWHERE, "--data", str(home / "nothing")) == THERE
    assert resolved(ALL, "--data", str(home), "--email", "ada").password == "of the environment"


def test_what_is_no_address_is_said() -> None:
    with pytest.raises(BadAddress, match="invalid server address 'here:8080'"):
        client_of(Account("here:8080", token="a token"))

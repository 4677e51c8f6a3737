"""Which server and which user: what is given, else what the environment says, and never a mix of two users."""

from __future__ import annotations

import pytest

from meetra_client import MeetraClient
from meetra_client.environment import Account, resolve_account

ALL = {
    "MEETRA_URL": "http://there",
    "MEETRA_TOKEN": "its token",
    "MEETRA_EMAIL": "env@example.org",
    "MEETRA_PASSWORD": "its password",
}
Given = tuple[str | None, str | None, str | None, str | None]
HERS = Account("http://there", email="env@example.org", password="its password")


@pytest.mark.parametrize(
    ("given", "environment", "account"),
    [
        pytest.param((None,) * 4, ALL, HERS, id="all of the environment"),
        pytest.param(
            (None,) * 4, {**ALL, "MEETRA_TOKEN": "mk_a"}, Account("http://there", token="mk_a"), id="an API key of it"
        ),
        pytest.param(
            (None,) * 4, {**ALL, "MEETRA_EMAIL": ""}, Account("http://there", token="its token"), id="its token alone"
        ),
        pytest.param((None,) * 4, {**ALL, "MEETRA_TOKEN": ""}, HERS, id="an empty token"),
        pytest.param(("http://here", "mine", None, None), ALL, Account("http://here", token="mine"), id="a token"),
        pytest.param(
            (None, None, "me@example.org", "mine"),
            ALL,
            Account("http://there", email="me@example.org", password="mine"),
            id="email and password",
        ),
        pytest.param(
            (None, None, "me@example.org", None),
            ALL,
            Account("http://there", email="me@example.org", password="its password"),
            id="an email",
        ),
    ],
)
def test_what_is_given_comes_before_the_environment(
    given: Given, environment: dict[str, str], account: Account
) -> None:
    assert resolve_account(*given, environment=environment) == account


@pytest.mark.parametrize(
    ("given", "environment", "said"),
    [
        pytest.param((None, "a", None, None), {}, "set MEETRA_URL", id="no address"),
        pytest.param(("http://x", None, None, None), {}, "MEETRA_TOKEN", id="nobody"),
        pytest.param(("http://x", None, "a", None), {}, "MEETRA_PASSWORD", id="no password"),
        pytest.param(("http://x", "a", "b", "c"), {}, "either a token, or email and password", id="both"),
        pytest.param(("http://x", "a", None, "c"), {}, "either a token, or email and password", id="token, password"),
    ],
)
def test_what_is_missing_is_named(given: Given, environment: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        resolve_account(*given, environment=environment)


async def test_a_client_needs_no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**ALL, "MEETRA_PASSWORD": ""}.items():
        monkeypatch.setenv(name, value)
    async with MeetraClient() as client:
        assert await client.token() == "its token"


def test_an_account_keeps_its_secrets_to_itself() -> None:
    assert "secret" not in repr(Account("http://x", token="secret", password="secret"))

"""Credentials: a token as it is given, or one that is had by password, once however many ask."""

from __future__ import annotations

import asyncio

import pytest

from meetra_client.connection import Endpoint
from meetra_client.credentials import Credentials
from meetra_client.errors import InvalidCredentials
from tests.clients.python.server import CrookedServer

NOWHERE = Endpoint.parse("http://127.0.0.1:1", 10)


@pytest.mark.parametrize(
    "given",
    [(None, None, None), (None, "a@example.org", None), (None, None, "right"), ("token", "a@example.org", "right")],
)
def test_one_kind_of_credentials_is_given(given: tuple[str | None, str | None, str | None]) -> None:
    with pytest.raises(ValueError, match="either a token, or email and password"):
        Credentials(NOWHERE, *given)


async def test_a_given_token_needs_no_server_and_is_never_renewed() -> None:
    credentials = Credentials(NOWHERE, "a token", None, None)
    assert (await credentials.token(), credentials.can_renew) == ("a token", False)


async def test_many_who_ask_at_once_share_one_login_until_the_token_is_refused(
    crooked: tuple[CrookedServer, str],
) -> None:
    server, url = crooked
    credentials = Credentials(Endpoint.parse(url, 10), None, "a@example.org", "right")
    assert credentials.can_renew
    before = len(server.tokens)
    assert len(set(await asyncio.gather(*(credentials.token() for _ in range(8))))) == 1
    assert len(server.tokens) == before + 1
    first = await credentials.token()
    credentials.expire()
    assert await credentials.token() != first
    assert len(server.tokens) == before + 2


async def test_a_wrong_password_is_told_to_each_who_asks(crooked: tuple[CrookedServer, str]) -> None:
    credentials = Credentials(Endpoint.parse(crooked[1], 10), None, "a@example.org", "wrong")
    told = await asyncio.gather(*(credentials.token() for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in told] == [InvalidCredentials] * 3

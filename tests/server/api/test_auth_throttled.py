"""Wrong passwords over real gRPC: told alike, delayed by account and by address, and noted without what was typed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from grpc import aio
from meetra.v1 import auth_pb2, auth_pb2_grpc

from server.auth import Passwords, hash_password
from server.auth.throttle import FREE_FAILURES_OF_ACCOUNT, FREE_FAILURES_OF_ADDRESS
from server.storage import users
from server.storage.pool import Database
from tests.server.api.conftest import Api, serving

PASSWORD = "a long password"
HASH = hash_password(PASSWORD)
ADA = "ada@example.org"


@dataclass(frozen=True)
class Answer:
    """To a login that was refused."""

    code: grpc.StatusCode
    message: str
    http_status: str
    retry_after: str | None


class CountingPasswords(Passwords):
    """Counts the hashes that are checked."""

    def __init__(self) -> None:
        super().__init__()
        self.checked = 0

    async def check(self, password_hash: str | None, password: str) -> bool:
        self.checked += 1
        return await super().check(password_hash, password)


async def refused(api: Api, email: str, password: str = "wrong", address: str = "") -> Answer:
    """Log in through a gateway that knows the caller's address."""
    metadata = (("x-client-address", address),) if address else ()
    request = auth_pb2.LoginRequest(email=email, password=password)
    with pytest.raises(aio.AioRpcError) as raised:
        await auth_pb2_grpc.AuthServiceStub(api.channel).Login(request, metadata=metadata)
    trailers = {key: str(value) for key, value in raised.value.trailing_metadata() or ()}
    return Answer(
        raised.value.code(), raised.value.details() or "", trailers["x-http-code"], trailers.get("retry-after")
    )


WRONG = Answer(grpc.StatusCode.UNAUTHENTICATED, "Invalid email or password", "400", None)


@pytest.fixture
async def ada(owner: Database) -> None:
    await owner.run(lambda c: users.ensure_user(c, "Org", ADA, HASH))


@pytest.mark.usefixtures("ada")
async def test_after_some_failures_an_account_waits_whether_or_not_it_exists_and_whatever_the_password(
    api: Api,
) -> None:
    for email in (ADA, "nobody@example.org"):
        for _ in range(FREE_FAILURES_OF_ACCOUNT):
            assert await refused(api, email) == WRONG
        for password in ("wrong", PASSWORD):
            answer = await refused(api, f" {email.upper()} ", password)
            assert (answer.code, answer.http_status) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "429")
            assert answer.message.startswith("Too many login attempts; try again in ")
            assert answer.retry_after in ("1", "2")


async def test_after_some_failures_an_address_waits_whoever_it_tries_to_be(api: Api) -> None:
    for number in range(FREE_FAILURES_OF_ADDRESS):
        assert await refused(api, f"{number}@example.org", address="198.51.100.7") == WRONG
    assert (await refused(api, "next@example.org", address="198.51.100.7")).http_status == "429"
    assert await refused(api, "next@example.org", address="198.51.100.8") == WRONG


async def test_a_disabled_user_is_told_what_a_stranger_is_told(api: Api, owner: Database) -> None:
    user_id = await owner.run(lambda c: users.ensure_user(c, "Org", ADA, HASH))
    user = await owner.run(lambda c: users.find(c, user_id))
    assert user is not None
    await owner.run(lambda c: users.update(c, user.organization_id, user.id, disabled=True))
    assert await refused(api, ADA, PASSWORD) == WRONG
    assert await refused(api, ADA, "wrong") == WRONG
    assert await refused(api, "nobody@example.org", PASSWORD) == WRONG


@pytest.mark.usefixtures("ada")
async def test_one_password_is_hashed_whoever_it_is_for(owner: Database, database: Database, tmp_path: Path) -> None:
    passwords = CountingPasswords()
    await owner.run(lambda c: users.ensure_user(c, "Org", "off@example.org", HASH))
    off = await owner.run(lambda c: users.find_by_email(c, "off@example.org"))
    assert off is not None
    await owner.run(lambda c: users.update(c, off.organization_id, off.id, disabled=True))
    async with serving(database, tmp_path, passwords=passwords) as (channel, port):
        api = Api(channel, (), port, owner)
        for email, password in ((ADA, "wrong"), ("off@example.org", PASSWORD), ("nobody@example.org", PASSWORD)):
            before = passwords.checked
            assert await refused(api, email, password) == WRONG
            assert passwords.checked == before + 1


@pytest.mark.usefixtures("ada")
async def test_failures_are_noted_without_what_was_typed(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "server.auth.accounts"):
        await refused(api, ADA, "my secret one", "198.51.100.7")
        await refused(api, "my secret two", "x", "198.51.100.7")
    assert "wrong password; from 198.51.100.7" in caplog.text
    assert "unknown email; from 198.51.100.7" in caplog.text
    assert "my secret" not in caplog.text

"""Login over real gRPC: a token for who has a password, and one refusal for everybody else."""

from __future__ import annotations

import grpc
import pytest
from grpc import aio
from meetra.v1 import auth_pb2, auth_pb2_grpc, meetings_pb2, meetings_pb2_grpc

from server.auth import hash_password
from server.storage import users
from server.storage.pool import Database
from tests.server.api.conftest import Api

PASSWORD = "a long password"
HASH = hash_password(PASSWORD)


async def login(api: Api, email: str, password: str) -> str:
    request = auth_pb2.LoginRequest(email=email, password=password)
    return (await auth_pb2_grpc.AuthServiceStub(api.channel).Login(request)).token


async def refusal(api: Api, email: str, password: str) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as raised:
        await login(api, email, password)
    return raised.value


async def test_a_token_opens_the_other_services(api: Api, owner: Database) -> None:
    await owner.run(lambda c: users.ensure_user(c, "Org", "ada@example.org", HASH))
    for address in ("ada@example.org", " Ada@Example.ORG "):
        token = await login(api, address, PASSWORD)
        listing = meetings_pb2_grpc.MeetingServiceStub(api.channel).ListMeetings
        page = await listing(meetings_pb2.ListMeetingsRequest(), metadata=(("authorization", f"Bearer {token}"),))
        assert not page.meetings


async def test_a_wrong_password_and_a_wrong_address_are_told_alike(api: Api, owner: Database) -> None:
    await owner.run(lambda c: users.ensure_user(c, "Org", "ada@example.org", HASH))
    told = {
        (error.code(), error.details())
        for error in (
            await refusal(api, "ada@example.org", "another password"),
            await refusal(api, "nobody@example.org", PASSWORD),
            await refusal(api, "nobody@example.org", "no user has this password"),
            await refusal(api, "a\x00", PASSWORD),
            await refusal(api, "' OR true --", PASSWORD),
        )
    }
    assert told == {(grpc.StatusCode.UNAUTHENTICATED, "Invalid email or password")}


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("", PASSWORD, "email"),
        ("a" * 321, PASSWORD, "email"),
        ("a@example.org", "", "password"),
        ("a@example.org", "p" * 1025, "password"),
    ],
)
async def test_what_is_missing_or_too_long_is_named(api: Api, email: str, password: str, field: str) -> None:
    error = await refusal(api, email, password)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    longest = {"email": 320, "password": 1024}[field]
    assert error.details() == f"Bad request: {field}: must be 1 to {longest} characters"

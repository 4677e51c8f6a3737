"""Login over real gRPC: a token for who has a password, and one refusal for everybody else."""

from __future__ import annotations

import grpc
import pytest
from grpc import aio
from meetra.v1 import auth_pb2, auth_pb2_grpc, meetings_pb2, meetings_pb2_grpc

from server.auth import hash_password
from server.auth.throttle import FREE_FAILURES_OF_ACCOUNT
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


async def may_call(api: Api, token: str) -> bool:
    listing = meetings_pb2_grpc.MeetingServiceStub(api.channel).ListMeetings
    call = listing(meetings_pb2.ListMeetingsRequest(), metadata=(("authorization", f"Bearer {token}"),))
    code = await call.code()
    assert code in (grpc.StatusCode.OK, grpc.StatusCode.UNAUTHENTICATED)
    return bool(code is grpc.StatusCode.OK)


@pytest.mark.parametrize("everywhere", [False, True])
async def test_a_token_that_is_logged_out_is_void_at_once(api: Api, owner: Database, everywhere: bool) -> None:
    await owner.run(lambda c: users.ensure_user(c, "Org", "ada@example.org", HASH))
    here, elsewhere = [await login(api, "ada@example.org", PASSWORD) for _ in range(2)]
    assert [await may_call(api, token) for token in (here, elsewhere)] == [True, True]
    request = auth_pb2.LogoutRequest(everywhere=everywhere)
    await auth_pb2_grpc.AuthServiceStub(api.channel).Logout(request, metadata=(("authorization", f"Bearer {here}"),))
    assert [await may_call(api, token) for token in (here, elsewhere)] == [False, not everywhere]
    assert await may_call(api, await login(api, "ada@example.org", PASSWORD))


async def change(api: Api, token: str, current: str, new: str) -> str:
    request = auth_pb2.ChangePasswordRequest(current_password=current, new_password=new)
    stub = auth_pb2_grpc.AuthServiceStub(api.channel)
    return (await stub.ChangePassword(request, metadata=(("authorization", f"Bearer {token}"),))).token


async def test_a_new_password_voids_the_old_one_and_all_tokens_at_once(api: Api, owner: Database) -> None:
    await owner.run(lambda c: users.ensure_user(c, "Org", "ada@example.org", HASH))
    before = [await login(api, "ada@example.org", PASSWORD) for _ in range(2)]
    assert [await may_call(api, token) for token in before] == [True, True]
    after = await change(api, before[0], PASSWORD, "another password")
    assert [await may_call(api, token) for token in (*before, after)] == [False, False, True]
    assert (await refusal(api, "ada@example.org", PASSWORD)).details() == "Invalid email or password"
    assert await may_call(api, await login(api, "ada@example.org", "another password"))


@pytest.mark.parametrize(
    ("current", "new", "said"),
    [
        ("wrong", "another password", "Invalid email or password"),
        ("", "another password", "Bad request: current_password: must be 1 to 1024 characters"),
        (PASSWORD, "eleven char", "Bad request: new_password: must be 12 to 1024 characters"),
        (PASSWORD, "p" * 1025, "Bad request: new_password: must be 12 to 1024 characters"),
    ],
)
async def test_a_password_is_not_changed_without_the_current_one_or_to_a_poor_one(
    api: Api, owner: Database, current: str, new: str, said: str
) -> None:
    await owner.run(lambda c: users.ensure_user(c, "Org", "ada@example.org", HASH))
    token = await login(api, "ada@example.org", PASSWORD)
    with pytest.raises(aio.AioRpcError) as raised:
        await change(api, token, current, new)
    assert raised.value.details() == said
    assert await may_call(api, token)


async def test_whoever_has_a_token_alone_guesses_the_password_no_faster(api: Api, owner: Database) -> None:
    await owner.run(lambda c: users.ensure_user(c, "Org", "ada@example.org", HASH))
    token = await login(api, "ada@example.org", PASSWORD)
    told = []
    for _ in range(FREE_FAILURES_OF_ACCOUNT + 1):
        with pytest.raises(aio.AioRpcError) as raised:
            await change(api, token, "wrong", "another password")
        told.append(raised.value.code())
    assert told[-2:] == [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.RESOURCE_EXHAUSTED]

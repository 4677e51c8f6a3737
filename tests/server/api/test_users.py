"""The users of an organization, over real gRPC."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from grpc import aio
from meetra.v1 import auth_pb2, auth_pb2_grpc, keys_pb2, keys_pb2_grpc, users_pb2_grpc
from meetra.v1 import users_pb2 as pb

from server.storage.pool import Database
from tests.server.api.conftest import Api
from tests.server.api.test_open_calls import bearer
from tests.server.storage.rows import make_user


async def refusal(call: Any) -> tuple[str, str]:
    """Status and message of a call that fails."""
    with pytest.raises(aio.AioRpcError) as raised:
        await call
    return raised.value.code().name, raised.value.details() or ""


async def test_users_are_listed_page_by_page_newest_first(api: Api, owner: Database) -> None:
    service = users_pb2_grpc.UserServiceStub(api.channel)
    await make_user(owner, "Elsewhere", "stranger@example.org")
    for name in ("b", "c"):
        await make_user(owner, "Org", f"{name}@example.org", "reader")
    first = await service.ListUsers(pb.ListUsersRequest(page_size=2), metadata=api.metadata)
    assert [(user.email, user.role, user.disabled) for user in first.users] == [
        ("c@example.org", "reader", False),
        ("b@example.org", "reader", False),
    ]
    request = pb.ListUsersRequest(page_size=2, page_token=first.next_page_token)
    second = await service.ListUsers(request, metadata=api.metadata)
    assert ([user.email for user in second.users], second.next_page_token) == (["a@example.org"], "")


async def test_a_user_s_role_and_state_change_apart_and_at_once(api: Api, owner: Database) -> None:
    service = users_pb2_grpc.UserServiceStub(api.channel)
    user = await make_user(owner, "Org", "b@example.org", "owner")
    theirs = await bearer(api, "Org", "b@example.org")
    await service.ListUsers(pb.ListUsersRequest(), metadata=theirs)
    changed = await service.UpdateUser(pb.UpdateUserRequest(id=str(user.id), role="reader"), metadata=api.metadata)
    assert (changed.user.role, changed.user.disabled) == ("reader", False)
    assert (await refusal(service.ListUsers(pb.ListUsersRequest(), metadata=theirs)))[0] == "PERMISSION_DENIED"
    changed = await service.UpdateUser(pb.UpdateUserRequest(id=str(user.id), disabled=True), metadata=api.metadata)
    assert (changed.user.role, changed.user.disabled) == ("reader", True)
    assert (await refusal(service.ListUsers(pb.ListUsersRequest(), metadata=theirs)))[0] == "UNAUTHENTICATED"
    await service.DeleteUser(pb.DeleteUserRequest(id=str(user.id)), metadata=api.metadata)
    assert await refusal(service.DeleteUser(pb.DeleteUserRequest(id=str(user.id)), metadata=api.metadata)) == (
        "NOT_FOUND",
        "User not found",
    )


async def test_an_organization_keeps_an_owner(api: Api, owner: Database) -> None:
    service = users_pb2_grpc.UserServiceStub(api.channel)
    only = await make_user(owner, "Org", "a@example.org")
    await make_user(owner, "Org", "b@example.org", "member")
    calls = [
        service.UpdateUser(pb.UpdateUserRequest(id=str(only.id), role="member"), metadata=api.metadata),
        service.UpdateUser(pb.UpdateUserRequest(id=str(only.id), disabled=True), metadata=api.metadata),
        service.DeleteUser(pb.DeleteUserRequest(id=str(only.id)), metadata=api.metadata),
    ]
    for call in calls:
        code, said = await refusal(call)
        assert code == "FAILED_PRECONDITION"
        assert "last enabled owner" in said


async def test_two_owners_who_remove_each_other_at_once_leave_one(api: Api, owner: Database) -> None:
    service = users_pb2_grpc.UserServiceStub(api.channel)
    one, other = [await make_user(owner, "Org", f"{name}@example.org") for name in ("a", "b")]
    # Before the first call: it may remove whose token comes second.
    tokens = [await bearer(api, "Org", f"{by}@example.org") for by in ("b", "a")]
    calls = [
        service.DeleteUser(pb.DeleteUserRequest(id=str(user.id)), metadata=token)
        for user, token in zip((one, other), tokens, strict=True)
    ]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(outcome, pb.DeleteUserResponse) for outcome in outcomes) == 1
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM users WHERE role = 'owner'")) == 1


@pytest.mark.parametrize(
    ("id_", "role", "said"),
    [
        ("", "owner", "id: not a UUID; use an id as the server returned it"),
        ("x", "owner", "id: not a UUID; use an id as the server returned it"),
        ("00000000-0000-4000-8000-000000000001", "king", "role: must be one of owner, member, reader, bot"),
        ("00000000-0000-4000-8000-000000000001", "", "role: must be one of owner, member, reader, bot"),
    ],
)
async def test_what_is_no_user_or_role_is_named(api: Api, id_: str, role: str, said: str) -> None:
    service = users_pb2_grpc.UserServiceStub(api.channel)
    call = service.UpdateUser(pb.UpdateUserRequest(id=id_, role=role), metadata=api.metadata)
    assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT.name, f"Bad request: {said}")


async def test_users_of_another_organization_are_not_there(api: Api, owner: Database) -> None:
    service = users_pb2_grpc.UserServiceStub(api.channel)
    stranger = await make_user(owner, "Elsewhere", "stranger@example.org")
    for call in (
        service.UpdateUser(pb.UpdateUserRequest(id=str(stranger.id), disabled=True), metadata=api.metadata),
        service.DeleteUser(pb.DeleteUserRequest(id=str(stranger.id)), metadata=api.metadata),
    ):
        assert await refusal(call) == ("NOT_FOUND", "User not found")
    assert await make_user(owner, "Elsewhere", "stranger@example.org") == stranger


PASSWORD = "a long password"


def adding(email: str, password: str = PASSWORD, **more: str) -> pb.AddUserRequest:
    """The request for another user."""
    return pb.AddUserRequest(email=email, password=password, **more)


async def test_an_owner_adds_a_user_who_logs_in_with_the_password(api: Api, owner: Database) -> None:
    service, login = users_pb2_grpc.UserServiceStub(api.channel), auth_pb2_grpc.AuthServiceStub(api.channel)
    added = (await service.AddUser(adding(" Kim@Example.org "), metadata=api.metadata)).user
    assert (added.email, added.role, added.disabled) == ("kim@example.org", "member", False)
    listed = await service.ListUsers(pb.ListUsersRequest(), metadata=api.metadata)
    assert listed.users[0] == added
    answer = await login.Login(auth_pb2.LoginRequest(email="kim@example.org", password=PASSWORD))
    theirs = (("authorization", f"Bearer {answer.token}"),)
    assert (await login.GetMe(auth_pb2.GetMeRequest(), metadata=theirs)).user_id == added.id
    # Their role allows it to nobody else.
    assert (await refusal(service.AddUser(adding("c@example.org"), metadata=theirs)))[0] == "PERMISSION_DENIED"
    taken = await refusal(service.AddUser(adding("KIM@example.org", role="owner"), metadata=api.metadata))
    assert taken[0] == "FAILED_PRECONDITION"
    assert "has a user of this address" in taken[1]
    assert await owner.run(lambda c: c.fetchval("SELECT role FROM users WHERE email = 'kim@example.org'")) == "member"


async def test_no_key_adds_a_user(api: Api) -> None:
    keys = keys_pb2_grpc.KeyServiceStub(api.channel)
    made = await keys.CreateKey(keys_pb2.CreateKeyRequest(name="bot", scopes=["admin"]), metadata=api.metadata)
    keyed = (("authorization", f"Bearer {made.secret}"),)
    service = users_pb2_grpc.UserServiceStub(api.channel)
    await service.ListUsers(pb.ListUsersRequest(), metadata=keyed)
    assert (await refusal(service.AddUser(adding("c@example.org"), metadata=keyed)))[0] == "PERMISSION_DENIED"


async def test_beside_other_organizations_nobody_learns_whose_an_address_is(api: Api, owner: Database) -> None:
    await make_user(owner, "Elsewhere", "stranger@example.org")
    service = users_pb2_grpc.UserServiceStub(api.channel)
    told = {
        await refusal(service.AddUser(adding(f"{name}@example.org"), metadata=api.metadata))
        for name in ("stranger", "nobody", "a")
    }
    assert {code for code, _ in told} == {"FAILED_PRECONDITION"}
    assert len(told) == 1
    assert "several organizations" in told.pop()[1]
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM users")) == 2


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        pytest.param(adding("kim"), "email", id="no address"),
        pytest.param(adding("kim@example.org", "short"), "password", id="short password"),
        pytest.param(adding("kim@example.org", role="king"), "role", id="no role"),
    ],
)
async def test_a_wrong_field_of_a_new_user_is_named(api: Api, request_: pb.AddUserRequest, field: str) -> None:
    code, said = await refusal(users_pb2_grpc.UserServiceStub(api.channel).AddUser(request_, metadata=api.metadata))
    assert code == "INVALID_ARGUMENT"
    assert said.startswith(f"Bad request: {field}: ")

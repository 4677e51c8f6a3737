"""The users of an organization, over real gRPC."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from grpc import aio
from meetra.v1 import users_pb2 as pb
from meetra.v1 import users_pb2_grpc

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
    calls = [
        service.DeleteUser(
            pb.DeleteUserRequest(id=str(user.id)), metadata=await bearer(api, "Org", f"{by}@example.org")
        )
        for user, by in ((one, "b"), (other, "a"))
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

"""API keys over real gRPC: in place of a token, for what their scopes and the role of their user allow."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from grpc import aio
from meetra.v1 import (
    access_pb2,
    auth_pb2,
    auth_pb2_grpc,
    keys_pb2_grpc,
    live_pb2_grpc,
    meetings_pb2,
    meetings_pb2_grpc,
    users_pb2,
    users_pb2_grpc,
)
from meetra.v1 import keys_pb2 as pb

from server.auth import MAX_KEYS_OF_USER
from server.storage import keys, users
from server.storage.pool import Database
from tests.server.api.conftest import Api
from tests.server.api.test_access import ended, open_streams
from tests.server.api.test_open_calls import PATIENCE_S, bearer
from tests.server.storage.rows import make_user

Metadata = tuple[tuple[str, str], ...]


async def made(api: Api, *scopes: str, metadata: Metadata = (), days: int = 0) -> tuple[pb.Key, Metadata]:
    """A key, and what the calls made with it carry."""
    request = pb.CreateKeyRequest(name="a bot", scopes=scopes, expires_in_days=days)
    answer = await keys_pb2_grpc.KeyServiceStub(api.channel).CreateKey(request, metadata=metadata or api.metadata)
    return answer.key, (("authorization", f"Bearer {answer.secret}"),)


async def code(call: Any) -> str:
    """How a single call ends."""
    return str((await call.code()).name)


async def outcomes(api: Api, metadata: Metadata) -> dict[str, str]:
    """How a call for each scope ends."""
    meetings = meetings_pb2_grpc.MeetingServiceStub(api.channel)
    upload: Any = meetings.UploadMeeting(iter([meetings_pb2.UploadMeetingRequest()]), metadata=metadata)
    live: Any = live_pb2_grpc.LiveServiceStub(api.channel).StreamMeeting(iter([]), metadata=metadata)
    listed = users_pb2_grpc.UserServiceStub(api.channel).ListUsers(users_pb2.ListUsersRequest(), metadata=metadata)
    return {
        "upload": await code(upload),
        "read": await code(meetings.ListMeetings(meetings_pb2.ListMeetingsRequest(), metadata=metadata)),
        "live": await code(live),
        "admin": await code(listed),
    }


ALLOWED = {"upload": "INVALID_ARGUMENT", "read": "OK", "live": "INVALID_ARGUMENT", "admin": "OK"}


@pytest.mark.parametrize("scopes", [["upload"], ["read"], ["live"], ["read", "live"], ["admin"]])
async def test_a_key_opens_what_its_scopes_say_and_nothing_else(api: Api, scopes: list[str]) -> None:
    _, metadata = await made(api, *scopes)
    opened = set(ALLOWED) if "admin" in scopes else set(scopes)
    expected = {scope: told if scope in opened else "PERMISSION_DENIED" for scope, told in ALLOWED.items()}
    assert await outcomes(api, metadata) == expected


async def test_a_key_allows_no_more_than_the_role_of_its_user(api: Api, owner: Database) -> None:
    await make_user(owner, "Org", "reader@example.org", "reader")
    _, metadata = await made(api, "admin", metadata=await bearer(api, "Org", "reader@example.org"))
    assert await outcomes(api, metadata) == {**dict.fromkeys(ALLOWED, "PERMISSION_DENIED"), "read": "OK"}


async def test_a_caller_is_told_who_they_are_and_what_they_may_do(api: Api, owner: Database) -> None:
    reader = await make_user(owner, "Org", "reader@example.org", "reader")
    bearing = await bearer(api, "Org", "reader@example.org")
    key, keyed = await made(api, "admin", "upload", metadata=bearing)
    stub = auth_pb2_grpc.AuthServiceStub(api.channel)
    signed_in = await stub.GetMe(auth_pb2.GetMeRequest(), metadata=bearing)
    assert (signed_in.user_id, signed_in.email) == (str(reader.id), "reader@example.org")
    assert (signed_in.organization_id, signed_in.organization_name) == (str(reader.organization_id), "Org")
    assert (signed_in.role, signed_in.HasField("key")) == ("reader", False)
    assert list(signed_in.rights) == [access_pb2.RIGHT_ACCOUNT, access_pb2.RIGHT_READ]
    with_key = await stub.GetMe(auth_pb2.GetMeRequest(), metadata=keyed)
    assert (with_key.email, list(with_key.rights)) == ("reader@example.org", [access_pb2.RIGHT_READ])
    assert with_key.key == auth_pb2.CallingKey(id=key.id, name="a bot", scopes=["upload", "admin"])


async def test_a_key_that_its_user_s_role_leaves_without_rights_opens_nothing(api: Api, owner: Database) -> None:
    await make_user(owner, "Org", "reader@example.org", "reader")
    _, keyed = await made(api, "upload", metadata=await bearer(api, "Org", "reader@example.org"))
    stub = auth_pb2_grpc.AuthServiceStub(api.channel)
    assert await code(stub.GetMe(auth_pb2.GetMeRequest(), metadata=keyed)) == "PERMISSION_DENIED"


async def test_no_key_makes_keys_or_changes_the_account(api: Api) -> None:
    key, metadata = await made(api, "admin")
    account, stub = auth_pb2_grpc.AuthServiceStub(api.channel), keys_pb2_grpc.KeyServiceStub(api.channel)
    calls = [
        stub.CreateKey(pb.CreateKeyRequest(name="x", scopes=["admin"]), metadata=metadata),
        stub.ListKeys(pb.ListKeysRequest(), metadata=metadata),
        stub.RevokeKey(pb.RevokeKeyRequest(id=key.id), metadata=metadata),
        account.Logout(auth_pb2.LogoutRequest(), metadata=metadata),
        account.ChangePassword(auth_pb2.ChangePasswordRequest(), metadata=metadata),
    ]
    assert [await code(call) for call in calls] == ["PERMISSION_DENIED"] * len(calls)


async def test_what_is_stored_opens_nothing(api: Api, owner: Database) -> None:
    _, metadata = await made(api, "read")
    secret = metadata[0][1].removeprefix("Bearer ")
    assert secret.startswith("mk_")
    assert len(secret) == 46
    stored = str([tuple(row) for row in await owner.run(lambda c: c.fetch("SELECT * FROM api_keys"))])
    assert secret not in stored
    for wrong in (secret[:-1], secret + "x", "mk_", secret.lower(), secret.removeprefix("mk_")):
        refused = await outcomes(api, (("authorization", f"Bearer {wrong}"),))
        assert set(refused.values()) == {"UNAUTHENTICATED"}


VOIDING = ("revoked", "user disabled", "user deleted", "expired")


@pytest.mark.parametrize("how", VOIDING)
async def test_a_void_key_opens_nothing_from_then_on_and_its_streams_end(api: Api, owner: Database, how: str) -> None:
    user = await make_user(owner, "Org", "bot@example.org", "bot")
    theirs = await bearer(api, "Org", "bot@example.org")
    key, metadata = await made(api, "live", metadata=theirs, days=1)
    held, _ = await open_streams(live_pb2_grpc.LiveServiceStub(api.channel), metadata)
    if how == "revoked":
        await keys_pb2_grpc.KeyServiceStub(api.channel).RevokeKey(pb.RevokeKeyRequest(id=key.id), metadata=theirs)
    elif how == "user disabled":
        await owner.run(lambda c: users.update(c, user.organization_id, user.id, disabled=True))
    elif how == "user deleted":
        await owner.run(lambda c: users.delete(c, user.organization_id, user.id))
    else:
        await owner.run(lambda c: c.execute("UPDATE api_keys SET expires_at = now()"))
        # Nothing announces that time passes.
        await owner.run(lambda c: c.execute("UPDATE users SET role = role WHERE id = $1", user.id))
    async with asyncio.timeout(PATIENCE_S):
        assert await ended(held) is grpc.StatusCode.UNAUTHENTICATED
    assert set((await outcomes(api, metadata)).values()) == {"UNAUTHENTICATED"}


async def test_a_new_password_voids_no_key(api: Api, owner: Database) -> None:
    _, metadata = await made(api, "read")
    await owner.run(lambda c: users.ensure_user(c, "Org", "a@example.org", "another hash"))
    assert (await outcomes(api, metadata))["read"] == "OK"


async def test_everybody_sees_and_revokes_their_own_keys_and_owners_all(api: Api, owner: Database) -> None:
    stub = keys_pb2_grpc.KeyServiceStub(api.channel)
    await make_user(owner, "Org", "b@example.org", "member")
    theirs, strangers = await bearer(api, "Org", "b@example.org"), await bearer(api, "Elsewhere", "c@example.org")
    ours, used = await made(api, "read", days=7)
    their_key, _ = await made(api, "upload", "read", metadata=theirs)
    await outcomes(api, used)
    shown = {
        name: [key.email for key in (await stub.ListKeys(pb.ListKeysRequest(), metadata=metadata)).keys]
        for name, metadata in (("owner", api.metadata), ("member", theirs), ("stranger", strangers))
    }
    assert shown == {"owner": ["b@example.org", "a@example.org"], "member": ["b@example.org"], "stranger": []}
    first, second = [
        (await stub.ListKeys(pb.ListKeysRequest(page_size=1, page_token=token), metadata=api.metadata))
        for token in ("", (await stub.ListKeys(pb.ListKeysRequest(page_size=1), metadata=api.metadata)).next_page_token)
    ]
    newest = first.keys[0]
    assert (newest.id, list(newest.scopes), newest.expires_at) == (their_key.id, ["upload", "read"], "")
    assert (second.keys[0].id, second.next_page_token) == (ours.id, "")
    assert second.keys[0].expires_at > second.keys[0].last_used_at >= second.keys[0].created_at[:16]
    for id_, metadata in ((ours.id, theirs), (ours.id, strangers), (str(uuid4()), api.metadata)):
        assert await code(stub.RevokeKey(pb.RevokeKeyRequest(id=id_), metadata=metadata)) == "NOT_FOUND"
    for id_ in (ours.id, their_key.id):
        assert await code(stub.RevokeKey(pb.RevokeKeyRequest(id=id_), metadata=api.metadata)) == "OK"


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (pb.CreateKeyRequest(scopes=["read"]), "name: must be 1 to 200 characters"),
        (pb.CreateKeyRequest(name="n" * 201, scopes=["read"]), "name: must be 1 to 200 characters"),
        (pb.CreateKeyRequest(name="n"), "scopes: must be one or several of upload, read, live, admin"),
        (pb.CreateKeyRequest(name="n", scopes=["read", "all"]), "scopes: must be one or several of"),
        (pb.CreateKeyRequest(name="n", scopes=["read"], expires_in_days=-1), "expires_in_days: must be 1 to 3650"),
        (pb.CreateKeyRequest(name="n", scopes=["read"], expires_in_days=3651), "expires_in_days: must be 1 to 3650"),
    ],
)
async def test_what_makes_no_key_is_named(api: Api, request_: pb.CreateKeyRequest, said: str) -> None:
    with pytest.raises(aio.AioRpcError) as raised:
        await keys_pb2_grpc.KeyServiceStub(api.channel).CreateKey(request_, metadata=api.metadata)
    assert (raised.value.details() or "").startswith(f"Bad request: {said}")


async def test_a_user_has_so_many_keys_and_no_more(api: Api, owner: Database) -> None:
    user = await make_user(owner, "Org", "a@example.org")

    async def add(id_: UUID) -> object:
        key: dict[str, Any] = {"name": "n", "secret_hash": id_.bytes, "scopes": ["read"], "expires_in_days": 0}
        return await owner.run(lambda c: keys.add(c, user.organization_id, user.id, id_, **key))

    for _ in range(MAX_KEYS_OF_USER - 1):
        await add(uuid4())
    await made(api, "read")
    with pytest.raises(aio.AioRpcError) as raised:
        await made(api, "read")
    assert raised.value.details() == "This user has the limit of 100 keys; revoke one first"

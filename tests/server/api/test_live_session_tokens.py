"""Session tokens against a real API: what they open, what they do not, and what ends them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from grpc import aio
from meetra.v1 import (
    audit_pb2,
    audit_pb2_grpc,
    auth_pb2,
    auth_pb2_grpc,
    keys_pb2,
    keys_pb2_grpc,
    live_pb2_grpc,
    meetings_pb2,
    meetings_pb2_grpc,
    users_pb2,
    users_pb2_grpc,
)
from meetra.v1 import live_pb2 as pb

from server.api.access import declared_session_scope
from server.api.public_services import public_methods
from server.auth.session_tokens import SessionMaker, SessionTokens
from server.storage.pool import Database
from tests.server.api.conftest import Api
from tests.server.api.test_live_socket import closed, opened, socket
from tests.server.signing import tokens
from tests.server.storage.rows import make_user

Metadata = tuple[tuple[str, str], ...]
PATIENCE_S = 300
TRACK = pb.TrackConfig(
    track_id="mic",
    kind=pb.TRACK_KIND_MIXED,
    encoding=pb.AUDIO_ENCODING_PCM_S16LE,
    sample_rate_hz=16_000,
)
SEND = {"StreamMeeting", "OpenMeeting", "SendAudio", "ControlMeeting"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def live(api: Api) -> Any:
    return live_pb2_grpc.LiveServiceStub(api.channel)


async def begun(api: Api, metadata: Metadata | None = None) -> pb.LiveReady:
    asked = pb.OpenMeetingRequest(config=pb.LiveConfig(name="Page", tracks=[TRACK]))
    ready: pb.LiveReady = (await live(api).OpenMeeting(asked, metadata=metadata or api.metadata)).ready
    return ready


async def made(
    api: Api, session_id: str, *scopes: str, metadata: Metadata | None = None, lifetime_s: int = 0
) -> Metadata:
    """What the calls of a page carry."""
    asked = pb.CreateSessionTokenRequest(session_id=session_id, scopes=scopes, lifetime_s=lifetime_s)
    answer = await live(api).CreateSessionToken(asked, metadata=metadata or api.metadata)
    assert answer.token.startswith("ms_")
    return (("authorization", f"Bearer {answer.token}"),)


async def code_of(call: Awaitable[object]) -> grpc.StatusCode:
    try:
        await call
    except aio.AioRpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


async def watch(api: Api, session_id: str, metadata: Metadata) -> object:
    call = live(api).WatchMeeting(pb.WatchMeetingRequest(session_id=session_id), metadata=metadata, timeout=PATIENCE_S)
    first = await call.read()
    call.cancel()
    return first


def resume(api: Api, session_id: str, metadata: Metadata) -> Awaitable[pb.OpenMeetingResponse]:
    config = pb.LiveConfig(session_id=session_id, take_over=True)
    answer: Awaitable[pb.OpenMeetingResponse] = live(api).OpenMeeting(
        pb.OpenMeetingRequest(config=config), metadata=metadata
    )
    return answer


async def test_a_page_resumes_sends_controls_and_watches_its_meeting(api: Api) -> None:
    session_id = (await begun(api)).session_id
    page = await made(api, session_id, "send", "watch")
    ready = (await resume(api, session_id, page)).ready
    chunk = pb.SendAudioRequest(session_id=session_id, owner=ready.owner, track_id="mic")
    chunk.body.data = bytes(32_000)
    assert (await live(api).SendAudio(chunk, metadata=page)).ack.tracks[0].next_sample == 16_000
    assert await watch(api, session_id, page)
    async with socket(api, headers=dict(page)) as connection:
        again = await opened(connection, session_id=session_id, take_over=True)
        assert again["tracks"] == [{"track_id": "mic", "next_sample": 16_000}]
    ended = pb.ControlMeetingRequest(session_id=session_id, owner=again["owner"])
    ended.control.action = pb.CONTROL_FINISH
    assert await code_of(live(api).ControlMeeting(ended, metadata=page)) is grpc.StatusCode.ABORTED


def test_methods_declare_the_scopes_that_open_them() -> None:
    scopes = {
        method.name: declared_session_scope(f"/{method.containing_service.full_name}/{method.name}")
        for method in public_methods()
    }
    opened_by = {name: scope for name, scope in scopes.items() if scope}
    assert opened_by == {**dict.fromkeys(SEND, 1), "WatchMeeting": 2, "GetMeetingAudio": 3}
    assert declared_session_scope("/meetra.v1.NoService/Call") == 0


@pytest.mark.parametrize("scopes", [("send",), ("watch",), ("send", "watch")], ids=["send", "watch", "both"])
async def test_every_other_method_refuses_it(api: Api, scopes: tuple[str, ...]) -> None:
    session_id = (await begun(api)).session_id
    page = await made(api, session_id, *scopes)
    passed = set()
    for method in public_methods():
        path = f"/{method.containing_service.full_name}/{method.name}"
        call_method: Any = api.channel.stream_stream(path)
        call = call_method(iter([b""]), metadata=page, timeout=PATIENCE_S)
        try:
            await call.read()
        except aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.PERMISSION_DENIED:
                continue
        passed.add(method.name)
    # An empty message of OpenMeeting is a new meeting.
    expected = {"Login", "ListTokenKeys"} | (SEND - {"OpenMeeting"} if "send" in scopes else set())
    assert passed - {"OpenMeeting"} == expected | ({"WatchMeeting"} if "watch" in scopes else set())


async def test_it_opens_no_other_meeting_and_no_new_one(api: Api, owner: Database) -> None:
    ours, other = (await begun(api)).session_id, (await begun(api)).session_id
    elsewhere: Metadata = (("authorization", f"Bearer {await api.token('Else', 'e@example.org')}"),)
    theirs = (await begun(api, elsewhere)).session_id
    page = await made(api, ours, "send", "watch")
    for session_id in (other, theirs, UNKNOWN):
        chunk = pb.SendAudioRequest(session_id=session_id, owner=1, track_id="mic")
        chunk.body.data = b"abcd"
        control = pb.ControlMeetingRequest(session_id=session_id, owner=1)
        control.control.action = pb.CONTROL_FINISH
        for call in (
            resume(api, session_id, page),
            live(api).SendAudio(chunk, metadata=page),
            live(api).ControlMeeting(control, metadata=page),
            watch(api, session_id, page),
        ):
            assert await code_of(call) is grpc.StatusCode.PERMISSION_DENIED
        async with socket(api, headers=dict(page)) as connection:
            await connection.send(json.dumps({"config": {"session_id": session_id, "take_over": True}}))
            assert (await closed(connection))[0] == 4040
    new = pb.OpenMeetingRequest(config=pb.LiveConfig(name="New", tracks=[TRACK]))
    assert await code_of(live(api).OpenMeeting(new, metadata=page)) is grpc.StatusCode.PERMISSION_DENIED
    async with socket(api, headers=dict(page)) as connection:
        with pytest.raises(Exception, match="PERMISSION_DENIED"):
            await opened(connection)
    asked = pb.CreateSessionTokenRequest(session_id=theirs, scopes=["watch"])
    assert await code_of(live(api).CreateSessionToken(asked, metadata=api.metadata)) is grpc.StatusCode.NOT_FOUND
    # Forged by whoever has the key of tokens, it is still bound to the organization of its user.
    user = await make_user(owner, "Org", "a@example.org")
    maker = SessionMaker(user.id, uuid4(), uuid4(), user.token_generation, None)
    forged, _ = SessionTokens(tokens()).issue(maker, UUID(theirs), ["watch"], 60)
    strange: Metadata = (("authorization", f"Bearer {forged}"),)
    assert await code_of(watch(api, theirs, strange)) is grpc.StatusCode.UNAUTHENTICATED


async def test_a_scope_opens_its_own_methods_alone(api: Api) -> None:
    session_id = (await begun(api)).session_id
    sends, watches = await made(api, session_id, "send"), await made(api, session_id, "watch")
    assert await code_of(watch(api, session_id, sends)) is grpc.StatusCode.PERMISSION_DENIED
    assert await code_of(resume(api, session_id, watches)) is grpc.StatusCode.PERMISSION_DENIED
    async with socket(api, headers=dict(watches)) as connection:
        assert (await closed(connection))[0] == 4040


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (pb.CreateSessionTokenRequest(session_id="x", scopes=["send"]), "session_id"),
        (pb.CreateSessionTokenRequest(session_id=UNKNOWN, scopes=[]), "scopes"),
        (pb.CreateSessionTokenRequest(session_id=UNKNOWN, scopes=["send", "admin"]), "scopes"),
        (pb.CreateSessionTokenRequest(session_id=UNKNOWN, scopes=["send"], lifetime_s=43_201), "lifetime_s"),
        (pb.CreateSessionTokenRequest(session_id=UNKNOWN, scopes=["send"], lifetime_s=-1), "lifetime_s"),
        (pb.CreateSessionTokenRequest(session_id=UNKNOWN, scopes=["send"]), "Live session not found"),
    ],
    ids=["no UUID", "no scope", "unknown scope", "too long", "negative", "unknown session"],
)
async def test_a_wrong_request_names_its_field(api: Api, request_: pb.CreateSessionTokenRequest, code: str) -> None:
    with pytest.raises(aio.AioRpcError, match=code):
        await live(api).CreateSessionToken(request_, metadata=api.metadata)


async def test_a_reader_makes_tokens_that_watch_and_none_that_send(api: Api, owner: Database) -> None:
    session_id = (await begun(api)).session_id
    await make_user(owner, "Org", "reader@example.org", "reader")
    reader: Metadata = (("authorization", f"Bearer {await api.token('Org', 'reader@example.org')}"),)
    assert await watch(api, session_id, await made(api, session_id, "watch", metadata=reader))
    asked = pb.CreateSessionTokenRequest(session_id=session_id, scopes=["send", "watch"])
    assert await code_of(live(api).CreateSessionToken(asked, metadata=reader)) is grpc.StatusCode.PERMISSION_DENIED


async def test_it_expires(api: Api) -> None:
    session_id = (await begun(api)).session_id
    asked = pb.CreateSessionTokenRequest(session_id=session_id, scopes=["watch"], lifetime_s=2)
    answer = await live(api).CreateSessionToken(asked, metadata=api.metadata)
    until = datetime.fromisoformat(answer.expires_at)
    assert until - datetime.now(UTC) < timedelta(seconds=3)
    page: Metadata = (("authorization", f"Bearer {answer.token}"),)
    async with asyncio.timeout(PATIENCE_S):
        while await code_of(watch(api, session_id, page)) is not grpc.StatusCode.UNAUTHENTICATED:
            await asyncio.sleep(0.1)
    assert datetime.now(UTC) >= until


async def log_out(api: Api, metadata: Metadata) -> None:
    await auth_pb2_grpc.AuthServiceStub(api.channel).Logout(auth_pb2.LogoutRequest(), metadata=metadata)


async def log_out_everywhere(api: Api, metadata: Metadata) -> None:
    stub = auth_pb2_grpc.AuthServiceStub(api.channel)
    await stub.Logout(auth_pb2.LogoutRequest(everywhere=True), metadata=metadata)


async def delete_user(api: Api, metadata: Metadata) -> None:
    stub: Any = users_pb2_grpc.UserServiceStub(api.channel)
    listed = await stub.ListUsers(users_pb2.ListUsersRequest(), metadata=api.metadata)
    (gone,) = (user.id for user in listed.users if user.email == "page@example.org")
    await stub.DeleteUser(users_pb2.DeleteUserRequest(id=gone), metadata=api.metadata)


async def demote_user(api: Api, metadata: Metadata) -> None:
    stub: Any = users_pb2_grpc.UserServiceStub(api.channel)
    listed = await stub.ListUsers(users_pb2.ListUsersRequest(), metadata=api.metadata)
    (gone,) = (user.id for user in listed.users if user.email == "page@example.org")
    await stub.UpdateUser(users_pb2.UpdateUserRequest(id=gone, role="reader"), metadata=api.metadata)


ENDS: dict[str, Callable[[Api, Metadata], Awaitable[None]]] = {
    "its token is logged out": log_out,
    "all tokens are": log_out_everywhere,
    "the user is deleted": delete_user,
    "the user may less": demote_user,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_it_ends_with_what_it_was_made_with(
    api: Api, owner: Database, end: Callable[[Api, Metadata], Awaitable[None]]
) -> None:
    await make_user(owner, "Org", "page@example.org", "member")
    backend: Metadata = (("authorization", f"Bearer {await api.token('Org', 'page@example.org')}"),)
    session_id = (await begun(api)).session_id
    page = await made(api, session_id, "send", metadata=backend)
    assert await code_of(resume(api, session_id, page)) is grpc.StatusCode.OK
    async with socket(api, headers=dict(page)) as connection:
        await opened(connection, session_id=session_id, take_over=True)
        await end(api, backend)
        # What is open ends as well.
        assert (await closed(connection))[0] in (4001, 4040)
    expected = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
    assert await code_of(resume(api, session_id, page)) in expected


async def test_one_of_a_key_has_its_scopes_and_ends_with_it(api: Api) -> None:
    session_id = (await begun(api)).session_id
    stub: Any = keys_pb2_grpc.KeyServiceStub(api.channel)
    keys = {}
    for scope in ("live", "read"):
        asked = keys_pb2.CreateKeyRequest(name=scope, scopes=[scope])
        keys[scope] = await stub.CreateKey(asked, metadata=api.metadata)
    backend: Metadata = (("authorization", f"Bearer {keys['live'].secret}"),)
    reader: Metadata = (("authorization", f"Bearer {keys['read'].secret}"),)
    page = await made(api, session_id, "send", "watch", metadata=backend)
    assert await code_of(resume(api, session_id, page)) is grpc.StatusCode.OK
    send = pb.CreateSessionTokenRequest(session_id=session_id, scopes=["send"])
    assert await code_of(live(api).CreateSessionToken(send, metadata=reader)) is grpc.StatusCode.PERMISSION_DENIED
    assert await watch(api, session_id, await made(api, session_id, "watch", metadata=reader))
    await stub.RevokeKey(keys_pb2.RevokeKeyRequest(id=keys["live"].key.id), metadata=api.metadata)
    assert await code_of(resume(api, session_id, page)) is grpc.StatusCode.UNAUTHENTICATED


async def test_it_ends_with_its_meeting(api: Api, owner: Database) -> None:
    deleted, over = await begun(api), await begun(api)
    pages = [await made(api, one.session_id, "send", "watch") for one in (deleted, over)]
    gone = meetings_pb2.DeleteMeetingRequest(file_hash=deleted.file_hash)
    await meetings_pb2_grpc.MeetingServiceStub(api.channel).DeleteMeeting(gone, metadata=api.metadata)
    assert await code_of(watch(api, deleted.session_id, pages[0])) is grpc.StatusCode.NOT_FOUND
    conclude = "UPDATE live_meetings SET concluded = true, concluded_at = now() - $2::interval WHERE meeting_id = $1"
    for ago, code in ((60, grpc.StatusCode.OK), (180, grpc.StatusCode.UNAUTHENTICATED)):
        await owner.run(
            lambda c, ago=ago: c.execute(conclude, UUID(over.session_id), timedelta(seconds=ago))  # type: ignore[misc]
        )
        assert await code_of(watch(api, over.session_id, pages[1])) is code
    asked = pb.CreateSessionTokenRequest(session_id=over.session_id, scopes=["watch"])
    assert await code_of(live(api).CreateSessionToken(asked, metadata=api.metadata)) is (
        grpc.StatusCode.FAILED_PRECONDITION
    )


async def test_its_making_is_in_the_audit_log_and_it_is_not(api: Api) -> None:
    ready = await begun(api)
    page = await made(api, ready.session_id, "send")
    async with socket(api, headers=dict(page)) as connection:
        await opened(connection, session_id=ready.session_id, take_over=True)
    stub: Any = audit_pb2_grpc.AuditServiceStub(api.channel)
    listed = await stub.ListAuditEvents(audit_pb2.ListAuditEventsRequest(), metadata=api.metadata)
    (event,) = (one for one in listed.events if one.method == "LiveService/CreateSessionToken")
    assert (event.action, event.object_kind, event.object_id) == ("change", "meeting", ready.file_hash)
    # What is done with it is its user's doing, over a WebSocket too.
    (streamed,) = (one for one in listed.events if one.method == "LiveService/StreamMeeting")
    assert (streamed.object_id, streamed.user_id, streamed.status) == (ready.file_hash, event.user_id, "OK")
    assert dict(page)["authorization"].removeprefix("Bearer ") not in str(listed)

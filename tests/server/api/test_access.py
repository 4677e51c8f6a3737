"""Who may call what: declared on every method, enforced on every call, and looked at again while a stream is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio
from meetra.v1 import access_pb2, live_pb2, live_pb2_grpc

from server.api.access import declared_rights
from server.api.public_services import public_methods
from server.auth import UserWatch
from server.auth.rights import RIGHTS_OF_ROLE
from server.storage import ROLES, users
from server.storage.pool import Connection, Database
from server.storage.users import User
from tests.server.api.conftest import Api, running_api
from tests.server.api.test_open_calls import PATIENCE_S, bearer
from tests.server.storage.rows import make_user

WEBHOOKS = {method.name for method in public_methods() if method.containing_service.name == "WebhookService"}
METHODS = {f"/{method.containing_service.full_name}/{method.name}": method for method in public_methods()}
# What each role may not call, in full: a new method changes nothing for readers and bots unless it is meant to.
REFUSED = {
    "owner": set[str](),
    "member": {
        *(
            "UpdateVoiceSettings",
            "ListUsers",
            "AddUser",
            "UpdateUser",
            "DeleteUser",
            "ListAuditEvents",
            "ExportOrganization",
        ),
        *("UpdateOrganization", "SetLiveRules", "ListDeletions", "GetUsage"),
        *WEBHOOKS,
    },
    "reader": {
        *(
            "UpdateVoiceSettings",
            "ListUsers",
            "AddUser",
            "UpdateUser",
            "DeleteUser",
            "ListAuditEvents",
            "ExportOrganization",
        ),
        *("UploadMeeting", "DeleteMeeting", "RenameSpeaker", "MergeSpeakers", "SplitSpeaker", "UndoSpeakerEdit"),
        *("UpdateOrganization", "SetLiveRules", "ListDeletions", "GetUsage", "SetMeetingConsent"),
        *("RestoreMeeting", "CorrectSentence", "MoveSentence", "RedoCorrection"),
        *("DeleteVoice", "StreamMeeting", "OpenMeeting", "SendAudio", "ControlMeeting"),
        *WEBHOOKS,
    },
    "bot": {method.name for method in METHODS.values()}
    - {
        *("CreateKey", "ListKeys", "RevokeKey"),
        *("Login", "ListTokenKeys", "Logout", "ChangePassword", "UploadMeeting", "GetMeetingStatus"),
        *("StreamMeeting", "OpenMeeting", "SendAudio", "ControlMeeting", "WatchMeeting", "ListLiveMeetings"),
        *("CreateSessionToken", "GetMe"),
    },
}


def test_every_method_declares_who_may_call_it() -> None:
    known = set(access_pb2.Right.values()) - {access_pb2.RIGHT_UNSPECIFIED}
    for path in METHODS:
        assert declared_rights(path), f"{path}: add `option (rights) = RIGHT_...`"
        assert declared_rights(path) <= known
    without_token = {path for path in METHODS if access_pb2.RIGHT_NO_TOKEN in declared_rights(path)}
    assert without_token == {"/meetra.v1.AuthService/Login", "/meetra.v1.AuthService/ListTokenKeys"}


@pytest.mark.parametrize("path", ["/meetra.v1.NoService/Call", "/meetra.v1.AuthService/No", "", "/", "no path"])
def test_what_declares_nothing_is_for_nobody(path: str) -> None:
    assert declared_rights(path) == frozenset()


def test_each_role_has_rights_and_nobody_has_those_of_no_token() -> None:
    assert set(RIGHTS_OF_ROLE) == set(ROLES)
    for rights in RIGHTS_OF_ROLE.values():
        assert rights.isdisjoint({access_pb2.RIGHT_UNSPECIFIED, access_pb2.RIGHT_NO_TOKEN})


async def code_of(api: Api, path: str, metadata: tuple[tuple[str, str], ...]) -> grpc.StatusCode:
    """How a call with an empty message ends, OK if it is still open after its first response."""
    method: Any = api.channel.stream_stream(path)
    call = method(iter([b""]), metadata=metadata, timeout=PATIENCE_S)
    try:
        async for _ in call:
            call.cancel()
            return grpc.StatusCode.OK
    except aio.AioRpcError:
        pass
    code: grpc.StatusCode = await call.code()
    return code


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_call_what_it_is_for_and_nothing_else(api: Api, owner: Database, role: str) -> None:
    await make_user(owner, "Roles", f"{role}@example.org", role)
    refused = set()
    for path, method in METHODS.items():
        # Its own token each time: Logout is one of them.
        if (
            await code_of(api, path, await bearer(api, "Roles", f"{role}@example.org"))
            is grpc.StatusCode.PERMISSION_DENIED
        ):
            refused.add(method.name)
    assert refused == REFUSED[role]


VOIDING: dict[str, Callable[[Connection, User], Awaitable[object]]] = {
    "tokens are revoked": lambda c, user: users.void_tokens(c, user.organization_id, user.id),
    "user is disabled": lambda c, user: users.update(c, user.organization_id, user.id, disabled=True),
    "user is deleted": lambda c, user: users.delete(c, user.organization_id, user.id),
    "password is reset": lambda c, user: users.ensure_user(c, "Org", user.email, "another hash"),
}
LESS: dict[str, Callable[[Connection, User], Awaitable[object]]] = {
    "role is another": lambda c, user: users.update(c, user.organization_id, user.id, role="reader")
}
TRACK = live_pb2.TrackConfig(
    track_id="mic",
    kind=live_pb2.TRACK_KIND_MIXED,
    encoding=live_pb2.AUDIO_ENCODING_PCM_S16LE,
    sample_rate_hz=16_000,
)


@pytest.fixture(params=["announced", "not announced"])
async def watching(
    request: pytest.FixtureRequest, owner: Database, database: Database, tmp_path: Path
) -> AsyncIterator[Api]:
    """The API, which hears of changes at once, or looks every second because nothing is announced."""
    announced = request.param == "announced"
    if not announced:
        await owner.run(lambda c: c.execute("ALTER TABLE users DISABLE TRIGGER announce"))
    watch = UserWatch(database, look_again_s=3600 if announced else 1)
    async with running_api(owner, database, tmp_path, user_watch=watch) as api:
        yield api


@pytest.mark.parametrize("change", [*VOIDING, *LESS])
async def test_open_streams_end_with_the_rights_of_their_user(watching: Api, owner: Database, change: str) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    stub = live_pb2_grpc.LiveServiceStub(watching.channel)
    held, watched = await open_streams(stub, watching.metadata)
    other, _ = await open_streams(stub, await bearer(watching, "Elsewhere", "b@example.org"))
    await owner.run(lambda c: {**VOIDING, **LESS}[change](c, user))
    told = grpc.StatusCode.PERMISSION_DENIED if change in LESS else grpc.StatusCode.UNAUTHENTICATED
    async with asyncio.timeout(PATIENCE_S):
        assert await ended(held) is told
        if change not in LESS:
            assert await ended(watched) is told
    # Readers may watch on, and others are not disturbed.
    await other.write(live_pb2.StreamMeetingRequest(control=live_pb2.CONTROL_FLUSH))
    assert not other.done()
    for call in (watched, other):
        call.cancel()


async def ended(call: Any) -> grpc.StatusCode:
    """How a stream ends."""
    with suppress(aio.AioRpcError):
        # The status comes after all that was sent before it.
        while await call.read() is not aio.EOF:
            pass
    code: grpc.StatusCode = await call.code()
    return code


async def open_streams(stub: Any, metadata: tuple[tuple[str, str], ...]) -> tuple[Any, Any]:
    """A stream that holds a live meeting, and one that watches it."""
    held = stub.StreamMeeting(metadata=metadata, timeout=PATIENCE_S)
    await held.write(live_pb2.StreamMeetingRequest(config=live_pb2.LiveConfig(name="Held", tracks=[TRACK])))
    session_id = (await held.read()).ready.session_id
    watched = stub.WatchMeeting(
        live_pb2.WatchMeetingRequest(session_id=session_id), metadata=metadata, timeout=PATIENCE_S
    )
    return held, watched

"""The audit log over real gRPC: each kind of call, by whom, on what, how it ended; and what is not in it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from grpc import aio
from meetra.v1 import audit_pb2 as pb
from meetra.v1 import (
    audit_pb2_grpc,
    auth_pb2,
    auth_pb2_grpc,
    keys_pb2,
    keys_pb2_grpc,
    live_pb2,
    live_pb2_grpc,
    meetings_pb2,
    meetings_pb2_grpc,
    speakers_pb2,
    speakers_pb2_grpc,
    users_pb2,
    users_pb2_grpc,
)

from server.auth import Passwords, hash_password
from server.storage import DatabaseUnavailable, audit, users
from server.storage.pool import Database
from tests.server.api.conftest import Api, running_api
from tests.server.api.test_access import TRACK
from tests.server.api.test_open_calls import PATIENCE_S, bearer
from tests.server.storage.rows import HASH, make_user, ready_meeting

Metadata = tuple[tuple[str, str], ...]
ADDRESS = (("x-client-address", "192.0.2.7"), ("x-request-id", "4f1c-77"))


async def listed(api: Api, metadata: Metadata = (), **wanted: Any) -> list[pb.AuditEvent]:
    """The events, newest first, without those of reading them."""
    stub = audit_pb2_grpc.AuditServiceStub(api.channel)
    request = pb.ListAuditEventsRequest(page_size=1000, **wanted)
    answer = await stub.ListAuditEvents(request, metadata=metadata or api.metadata, timeout=PATIENCE_S)
    return [event for event in answer.events if event.method != "AuditService/ListAuditEvents"]


async def until_listed(api: Api, number: int, **wanted: Any) -> list[pb.AuditEvent]:
    """The events, once there are so many: reads come within a second."""
    async with asyncio.timeout(PATIENCE_S):
        while len(events := await listed(api, **wanted)) < number:
            await asyncio.sleep(0.05)
    assert len(events) == number
    return events


async def test_reads_changes_and_deletions_say_who_what_and_from_where(
    api: Api, owner: Database, database: Database
) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    await ready_meeting(database, user)
    metadata = (*api.metadata, *ADDRESS)
    meetings = meetings_pb2_grpc.MeetingServiceStub(api.channel)
    await meetings.GetMeetingStatus(meetings_pb2.GetMeetingStatusRequest(file_hash=HASH), metadata=metadata)
    await meetings.DeleteMeeting(meetings_pb2.DeleteMeetingRequest(file_hash=HASH), metadata=metadata)
    # Nobody waits for a deletion: it is in the log before its answer.
    (deleted,) = await listed(api, action="delete")
    assert (deleted.object_kind, deleted.object_id, deleted.status) == ("meeting", HASH, "OK")
    with pytest.raises(aio.AioRpcError):
        await meetings.DeleteMeeting(meetings_pb2.DeleteMeetingRequest(file_hash=HASH), metadata=metadata)
    again, first, read = await until_listed(api, 3, object=HASH)
    assert (again.status, first.id) == ("MEETING_NOT_FOUND", deleted.id)
    assert (read.action, read.method, read.status, read.count) == (
        *("read", "MeetingService/GetMeetingStatus", "OK", 1),
    )
    for event in (again, first, read):
        assert (event.actor, event.user_id, event.key_id, event.role) == ("user", str(user.id), "", "owner")
        assert (event.address, event.request_id) == ("192.0.2.7", "4f1c-77")


async def test_equal_reads_are_counted(api: Api) -> None:
    meetings = meetings_pb2_grpc.MeetingServiceStub(api.channel)
    for _ in range(30):
        await meetings.ListMeetings(meetings_pb2.ListMeetingsRequest(), metadata=api.metadata)
    (event,) = await until_listed(api, 1, action="read")
    assert (event.method, event.object_kind) == ("MeetingService/ListMeetings", "")


async def test_reading_the_log_is_an_event(api: Api) -> None:
    await listed(api)
    stub = audit_pb2_grpc.AuditServiceStub(api.channel)
    async with asyncio.timeout(PATIENCE_S):
        while not (found := (await stub.ListAuditEvents(pb.ListAuditEventsRequest(), metadata=api.metadata)).events):
            await asyncio.sleep(0.05)
    assert found[0].method == "AuditService/ListAuditEvents"


async def test_a_key_and_what_is_refused_to_it(api: Api) -> None:
    keys = keys_pb2_grpc.KeyServiceStub(api.channel)
    made = await keys.CreateKey(keys_pb2.CreateKeyRequest(name="a bot", scopes=["read"]), metadata=api.metadata)
    (created,) = await listed(api, action="change")
    assert (created.object_kind, created.object_id) == ("key", made.key.id)
    by_key: Metadata = (("authorization", f"Bearer {made.secret}"),)
    with pytest.raises(aio.AioRpcError):
        await meetings_pb2_grpc.MeetingServiceStub(api.channel).DeleteMeeting(
            meetings_pb2.DeleteMeetingRequest(file_hash=HASH), metadata=by_key
        )
    with pytest.raises(aio.AioRpcError):
        await audit_pb2_grpc.AuditServiceStub(api.channel).ListAuditEvents(pb.ListAuditEventsRequest(), metadata=by_key)
    refused = await until_listed(api, 1, actor=made.key.id, action="refused")
    assert (refused[0].actor, refused[0].key_id, refused[0].status) == ("key", made.key.id, "PERMISSION_DENIED")
    await keys.RevokeKey(keys_pb2.RevokeKeyRequest(id=made.key.id), metadata=api.metadata)
    (revoked,) = await listed(api, action="delete")
    assert revoked.object_id == made.key.id


async def test_logins_and_failed_ones_and_nothing_of_what_was_typed(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    email = "someone@example.org"
    async with running_api(owner, database, tmp_path, passwords=Passwords()) as api:
        user = await make_user(owner, "Org", email, "member")
        await owner.run(lambda c: users.ensure_user(c, "Org", email, hash_password("open sesame")))
        auth = auth_pb2_grpc.AuthServiceStub(api.channel)
        for password in ("wrong password", "wrong password", "open sesame"):
            request = auth_pb2.LoginRequest(email=email, password=password)
            if password == "open sesame":
                await auth.Login(request, metadata=ADDRESS)
            else:
                with pytest.raises(aio.AioRpcError):
                    await auth.Login(request, metadata=ADDRESS)
        with pytest.raises(aio.AioRpcError):
            await auth.Login(auth_pb2.LoginRequest(email="nobody@example.org", password="x"), metadata=ADDRESS)
        (login,) = await listed(api, action="login")
        assert (login.actor, login.user_id, login.role, login.address) == ("user", str(user.id), "member", "192.0.2.7")
        (failed,) = await until_listed(api, 1, action="refused")
        assert (failed.actor, failed.user_id, failed.object_kind, failed.object_id) == (
            *("unknown", "", "user", str(user.id)),
        )
        assert failed.status == "INVALID_CREDENTIALS"
    # The second failure was counted, and is written at the end.
    rows = await owner.run(lambda c: c.fetch("SELECT e::text AS row, action, count FROM audit_events e"))
    assert sum(row["count"] for row in rows if row["action"] == "refused") == 2
    for secret in ("sesame", "wrong", "example.org", "nobody"):
        assert not [row["row"] for row in rows if secret in row["row"]]


async def test_names_and_texts_are_not_in_the_log(api: Api, owner: Database, database: Database) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    await ready_meeting(database, user)
    speakers = speakers_pb2_grpc.SpeakerServiceStub(api.channel)
    request = speakers_pb2.ListSpeakersRequest(file_hash="Daniel's private words")
    name = speakers_pb2.RenameSpeakerRequest(id=str(uuid4()))
    name.name.alias = "Daniel's private words"
    extra = (("x-client-address", "Daniel's private words"), ("x-request-id", "Daniel's private words"))
    for call in (
        speakers.ListSpeakers(request, metadata=(*api.metadata, *extra)),
        speakers.RenameSpeaker(name, metadata=(*api.metadata, *extra)),
        users_pb2_grpc.UserServiceStub(api.channel).UpdateUser(
            users_pb2.UpdateUserRequest(id="x", role="Daniel's private words"), metadata=(*api.metadata, *extra)
        ),
    ):
        with pytest.raises(aio.AioRpcError):
            await call
    events = await until_listed(api, 3)
    assert {event.status for event in events} == {"BAD_REQUEST", "SPEAKER_NOT_FOUND"}
    rows = await owner.run(lambda c: c.fetch("SELECT e::text AS row FROM audit_events e"))
    assert not [row for row in rows if "Daniel" in row["row"] or "private" in row["row"]]


async def test_a_live_meeting_is_its_start_its_watching_and_its_finish(api: Api) -> None:
    live = live_pb2_grpc.LiveServiceStub(api.channel)
    opened = await live.OpenMeeting(
        live_pb2.OpenMeetingRequest(config=live_pb2.LiveConfig(name="Held", tracks=[TRACK])), metadata=api.metadata
    )
    session, file_hash = opened.ready.session_id, opened.ready.file_hash
    for number in range(5):
        chunk = live_pb2.SendAudioRequest(
            session_id=session, track_id="mic", first_sample=number * 160, owner=opened.ready.owner
        )
        chunk.body.data = bytes(320)
        await live.SendAudio(chunk, metadata=api.metadata)
    watched: Any = live.WatchMeeting(live_pb2.WatchMeetingRequest(session_id=session), metadata=api.metadata)
    flush, finish = live_pb2.CONTROL_FLUSH, live_pb2.CONTROL_FINISH
    for control in (flush, finish, finish):
        request = live_pb2.ControlMeetingRequest(session_id=session, owner=opened.ready.owner)
        request.control.action = control
        await live.ControlMeeting(request, metadata=api.metadata)
    watched.cancel()
    events = await until_listed(api, 3, object=file_hash)
    assert {(event.method, event.action, event.object_kind) for event in events} == {
        ("LiveService/OpenMeeting", "change", "meeting"),
        ("LiveService/ControlMeeting", "change", "meeting"),
        ("LiveService/WatchMeeting", "read", "meeting"),
    }
    stream: Any = live.StreamMeeting(metadata=api.metadata, timeout=PATIENCE_S)
    await stream.write(live_pb2.StreamMeetingRequest(config=live_pb2.LiveConfig(name="Again", tracks=[TRACK])))
    ready = (await stream.read()).ready
    # It goes on, and its start is in the log.
    (started,) = await listed(api, object=ready.file_hash)
    assert (started.method, started.status) == ("LiveService/StreamMeeting", "OK")
    await stream.write(live_pb2.StreamMeetingRequest(control=finish))
    await until_listed(api, 2, object=ready.file_hash)
    stream.cancel()


async def test_without_the_log_nothing_is_changed(
    api: Api, owner: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    await ready_meeting(database, user)

    async def away(*_: object) -> dict[str, int]:
        raise DatabaseUnavailable("away")

    meetings = meetings_pb2_grpc.MeetingServiceStub(api.channel)
    request = meetings_pb2.DeleteMeetingRequest(file_hash=HASH)
    with monkeypatch.context() as patched:
        patched.setattr(audit, "add", away)
        with pytest.raises(aio.AioRpcError) as raised:
            await meetings.DeleteMeeting(request, metadata=api.metadata)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM meetings")) == 1


async def test_a_deletion_that_the_server_did_not_survive_is_in_the_log(
    api: Api, owner: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    await ready_meeting(database, user)
    reached, dead = asyncio.Event(), asyncio.Event()
    add = audit.add

    async def first_only(connection: Any, organization_id: Any, events: Any) -> dict[str, int]:
        if any(event.begun_id for event in events):
            # What a server that is killed here never gets to.
            reached.set()
            await dead.wait()
        return await add(connection, organization_id, events)

    monkeypatch.setattr(audit, "add", first_only)
    meetings = meetings_pb2_grpc.MeetingServiceStub(api.channel)
    call = meetings.DeleteMeeting(meetings_pb2.DeleteMeetingRequest(file_hash=HASH), metadata=api.metadata)
    asking = asyncio.ensure_future(call)
    await asyncio.wait_for(reached.wait(), PATIENCE_S)
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM meetings")) == 0
    (event,) = await listed(api, action="delete")
    assert (event.status, event.object_id) == ("", HASH)
    dead.set()
    await asking
    (event,) = await listed(api, action="delete")
    assert event.status == "OK"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("actor", "nobody"),
        ("object", "x"),
        ("action", "write"),
        ("from_time", "yesterday"),
        ("to_time", "2026-13-01"),
        ("from_time", "0001-01-01T00:00:00+23:59"),
        ("page_size", 1001),
        ("page_token", "x"),
    ],
)
async def test_a_filter_that_is_none_is_refused_by_name(api: Api, field: str, value: Any) -> None:
    request = pb.ListAuditEventsRequest(**{field: value})
    stub = audit_pb2_grpc.AuditServiceStub(api.channel)
    with pytest.raises(aio.AioRpcError) as raised:
        await stub.ListAuditEvents(request, metadata=api.metadata)
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field.removesuffix("_time") in (raised.value.details() or "")


async def test_another_organization_has_a_log_of_its_own(api: Api) -> None:
    meetings = meetings_pb2_grpc.MeetingServiceStub(api.channel)
    await meetings.ListMeetings(meetings_pb2.ListMeetingsRequest(), metadata=api.metadata)
    await until_listed(api, 1)
    assert await listed(api, await bearer(api, "Elsewhere", "e@example.org")) == []

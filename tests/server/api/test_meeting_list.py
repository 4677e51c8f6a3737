"""Lists of meetings and deletions that wait, over real gRPC."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from meetra.v1 import meetings_pb2 as pb
from meetra.v1 import meetings_pb2_grpc, organization_pb2, organization_pb2_grpc

from server.api import meeting_list
from server.errors import BadRequest
from server.storage import SORTS, MeetingOrder
from server.storage.pool import Database
from tests.recordings import RATE_HZ, wav
from tests.server.api.conftest import Api
from tests.server.api.test_open_calls import bearer
from tests.server.api.test_users import refusal
from tests.server.storage.rows import make_user

NIL = "00000000-0000-0000-0000-000000000000"
DEADLINE_S = 120


def refused(call: Callable[[], object]) -> str:
    """The field that a refusal names."""
    with pytest.raises(BadRequest) as raised:
        call()
    return raised.value.parameter


def token(position: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


async def upload(api: Api, number: int) -> str:
    return (await api.upload(wav(np.full(RATE_HZ // 4, number, np.int16)))).file_hash


async def listed(api: Api, **request: Any) -> pb.ListMeetingsResponse:
    service = meetings_pb2_grpc.MeetingServiceStub(api.channel)
    return await service.ListMeetings(pb.ListMeetingsRequest(**request), metadata=api.metadata)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ListMeetingsRequest(search="x" * 201), "search"),
        (pb.ListMeetingsRequest(search=" ".join(f"{n}" for n in range(21))), "search"),
        (pb.ListMeetingsRequest(search="a\0b"), "search"),
        (pb.ListMeetingsRequest(person="x" * 201), "person"),
        (pb.ListMeetingsRequest(person="\0"), "person"),
        (pb.ListMeetingsRequest(status="ready,done"), "status"),
        (pb.ListMeetingsRequest(status=",".join(["ready"] * 6)), "status"),
        (pb.ListMeetingsRequest(from_time="yesterday"), "from"),
        (pb.ListMeetingsRequest(to_time="2026-13-01"), "to"),
    ],
    ids=[
        "a long search",
        "many words",
        "a NUL in the search",
        "a long person",
        "a NUL in the person",
        "a state that is none",
        "more states than there are",
        "no date",
        "no month",
    ],
)
def test_a_condition_that_is_none_is_refused(request_: pb.ListMeetingsRequest, field: str) -> None:
    assert refused(lambda: meeting_list.parse_filter(request_)) == field


def test_conditions_are_read() -> None:
    request = pb.ListMeetingsRequest(search="  a b\ta ", person=" x y ", status="ready, failed", to_time="2026-11-23")
    wanted = meeting_list.parse_filter(request)
    assert (wanted.words, wanted.person, wanted.statuses) == (("a", "b"), "x y", ("ready", "failed"))
    assert wanted.held_from is None
    assert str(wanted.held_before) == "2026-11-23 00:00:00+00:00"


def test_an_order_that_is_none_is_refused() -> None:
    assert meeting_list.parse_order("") == MeetingOrder("created_at", descending=True)
    assert meeting_list.parse_order("name") == MeetingOrder("name", descending=False)
    for value in ("size", "--name", "-", "name desc", "m.name; --"):
        assert refused(lambda v=value: meeting_list.parse_order(v)) == "sort"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("sort", "position"),
    [
        ("name", "x"),
        ("name", token(["date", "a", NIL])),
        ("name", token(["-name", "a", NIL])),
        ("name", token(["name", 1, NIL])),
        ("name", token(["name", "\0", NIL])),
        ("name", token(["name", "\ud800", NIL])),
        ("name", token(["name", "a", "x"])),
        ("name", token(["name", "a", 1])),
        ("name", token(["name", "a"])),
        ("name", token({})),
        ("name", base64.urlsafe_b64encode(b"[" * 100_000).decode()),
        ("duration", token(["duration", "1", NIL])),
        ("duration", token(["duration", 2**31, NIL])),
        ("duration", token(["duration", True, NIL])),
        ("date", token(["date", "2026-11-23", NIL])),
        ("date", token(["date", "0001-01-01T00:00:00+14:00", NIL])),
        ("-created_at", token(["-created_at", "2026-11-23T00:00:00+00:00", NIL])),
    ],
    ids=[
        "no token",
        "of another key",
        "of another direction",
        "a number for a text",
        "a NUL",
        "half a surrogate pair",
        "an id that is none",
        "an id that is a number",
        "without an id",
        "no list",
        "a deep list",
        "a text for a number",
        "a number too large",
        "a truth for a number",
        "a date without a zone",
        "before the first year",
        "another form of the usual token",
    ],
)
def test_a_token_of_another_order_or_of_somebody_s_own_is_refused(sort: str, position: str) -> None:
    order = meeting_list.parse_order(sort)
    assert refused(lambda: meeting_list.parse_position(position, order)) == "page_token"


async def test_pages_go_on_in_every_order(api: Api) -> None:
    hashes = [await upload(api, number) for number in range(3)]
    for sort in (*SORTS, *(f"-{name}" for name in SORTS)):
        found, next_token = [], ""
        while True:
            page = await listed(api, sort=sort, page_size=1, page_token=next_token, status="queued")
            found += [meeting.file_hash for meeting in page.meetings]
            if not (next_token := page.next_page_token):
                break
        assert sorted(found) == sorted(hashes), sort
        if "created_at" in sort:
            assert found == (hashes[::-1] if sort.startswith("-") else hashes)
    assert [meeting.file_hash for meeting in (await listed(api)).meetings] == hashes[::-1]


async def test_lists_show_progress(api: Api, owner: Database) -> None:
    await upload(api, 1)
    await owner.run(lambda c: c.execute("UPDATE meetings SET progress_percent = 40, stage = 'reading', message = 'x'"))
    (meeting,) = (await listed(api)).meetings
    assert (meeting.progress_percent, meeting.stage, meeting.message) == (40, "reading", "x")
    assert not meeting.HasField("language")
    assert not meeting.HasField("session_id")
    assert not meeting.HasField("delete_at")


def test_names_are_shown_as_far_as_they_are_short() -> None:
    assert meeting_list._first_people(["a" * 400, "b" * 100, "c"]) == ["a" * 400, "b" * 100]
    assert meeting_list._first_people(["a" * 501, "b"]) == ["a" * 501]
    assert meeting_list._first_people([]) == []


async def test_a_deletion_waits_and_is_called_off(api: Api) -> None:
    service, file_hash = meetings_pb2_grpc.MeetingServiceStub(api.channel), await upload(api, 1)
    request = pb.DeleteMeetingRequest(file_hash=file_hash, undo_seconds=3600)
    answer = await service.DeleteMeeting(request, metadata=api.metadata)
    (meeting,) = (await listed(api)).meetings
    assert answer.delete_at == meeting.delete_at > meeting.created_at
    restore = pb.RestoreMeetingRequest(file_hash=file_hash)
    assert await service.RestoreMeeting(restore, metadata=api.metadata) == pb.RestoreMeetingResponse()
    (meeting,) = (await listed(api)).meetings
    assert not meeting.HasField("delete_at")
    # A caller who does not ask for a wait gets none, and the answer is as it was.
    at_once = await service.DeleteMeeting(pb.DeleteMeetingRequest(file_hash=file_hash), metadata=api.metadata)
    assert at_once == pb.DeleteMeetingResponse()
    assert not (await listed(api)).meetings
    assert (await refusal(service.RestoreMeeting(restore, metadata=api.metadata)))[0] == "NOT_FOUND"


async def test_a_deletion_that_waited_is_carried_out_by_the_server(api: Api) -> None:
    service, file_hash = meetings_pb2_grpc.MeetingServiceStub(api.channel), await upload(api, 1)
    await service.DeleteMeeting(pb.DeleteMeetingRequest(file_hash=file_hash, undo_seconds=1), metadata=api.metadata)
    async with asyncio.timeout(DEADLINE_S):
        while (await listed(api)).meetings:
            await asyncio.sleep(0.2)
    organization = organization_pb2_grpc.OrganizationServiceStub(api.channel)
    receipts = await organization.ListDeletions(organization_pb2.ListDeletionsRequest(), metadata=api.metadata)
    assert [(one.file_hash, one.reason, one.email) for one in receipts.deletions] == [
        (file_hash, "request", "a@example.org")
    ]


@pytest.mark.parametrize("seconds", [-1, 3601, 2**31 - 1], ids=["negative", "over an hour", "the largest"])
async def test_a_wait_out_of_range_is_refused(api: Api, seconds: int) -> None:
    service, file_hash = meetings_pb2_grpc.MeetingServiceStub(api.channel), await upload(api, 1)
    request = pb.DeleteMeetingRequest(file_hash=file_hash, undo_seconds=seconds)
    status, message = await refusal(service.DeleteMeeting(request, metadata=api.metadata))
    assert (status, "undo_seconds" in message) == ("INVALID_ARGUMENT", True)
    assert len((await listed(api)).meetings) == 1


async def test_only_who_may_delete_may_call_it_off(api: Api, owner: Database) -> None:
    service, file_hash = meetings_pb2_grpc.MeetingServiceStub(api.channel), await upload(api, 1)
    for role in ("reader", "bot"):
        await make_user(owner, "Org", f"{role}@example.org", role)
        metadata = await bearer(api, "Org", f"{role}@example.org")
        call = service.RestoreMeeting(pb.RestoreMeetingRequest(file_hash=file_hash), metadata=metadata)
        assert (await refusal(call))[0] == "PERMISSION_DENIED"

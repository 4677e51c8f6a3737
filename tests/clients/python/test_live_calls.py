"""Live meetings of others, against a real gRPC server that answers as it is told."""

from __future__ import annotations

import asyncio

import pytest
from meetra.v1 import live_pb2

from meetra_client import Finished, MeetraClient
from tests.clients.python.any_call_server import AnyCallServer

HASH = "f" * 64
Running = tuple[AnyCallServer, MeetraClient]


async def test_running_meetings_are_listed_over_all_pages(any_call: Running) -> None:
    server, client = any_call
    pages = [("a", "b"), (), ("c",)]
    server.answers["ListLiveMeetings"] = [
        live_pb2.ListLiveMeetingsResponse(
            meetings=[live_pb2.LiveMeeting(name=name) for name in names],
            next_page_token="" if at == 2 else f"page {at + 1}",
        )
        for at, names in enumerate(pages)
    ]
    assert [meeting.name async for meeting in client.live_meetings(page_size=2)] == ["a", "b", "c"]
    asked = [request for request in server.requests if isinstance(request, live_pb2.ListLiveMeetingsRequest)]
    assert [(each.page_size, each.page_token) for each in asked] == [(2, ""), (2, "page 1"), (2, "page 2")]


async def test_a_token_is_made_for_one_session(any_call: Running) -> None:
    server, client = any_call
    server.answers["CreateSessionToken"] = [live_pb2.CreateSessionTokenResponse(token="ms_x")]
    made = await client.session_token("an id", scopes=["send", "watch"], lifetime_s=60)
    assert made.token == "ms_x"
    expected = live_pb2.CreateSessionTokenRequest(session_id="an id", scopes=["send", "watch"], lifetime_s=60)
    assert server.requests == [expected]


async def test_a_meeting_is_watched_by_its_hash_and_after_an_event(any_call: Running) -> None:
    server, client = any_call
    server.answers["WatchMeeting"] = [
        live_pb2.WatchMeetingResponse(event=live_pb2.LiveEvent(event_seq=8, warning=live_pb2.Warning())),
        live_pb2.WatchMeetingResponse(event=live_pb2.LiveEvent(event_seq=9, finished=live_pb2.LiveFinished())),
    ]
    events = [event async for event in client.watch(file_hash=HASH, after_event_seq=7)]
    assert [event.event_seq for event in events] == [8, 9]
    assert isinstance(events[-1], Finished)
    asked = [live_pb2.WatchMeetingRequest(file_hash=HASH, after_event_seq=seen) for seen in (6, 7)]
    assert server.requests == asked


async def test_who_has_seen_the_end_is_told_that_it_is_the_end(any_call: Running) -> None:
    server, client = any_call
    server.answers["WatchMeeting"] = [
        live_pb2.WatchMeetingResponse(event=live_pb2.LiveEvent(event_seq=9, finished=live_pb2.LiveFinished())),
    ]
    async with asyncio.timeout(60):
        assert [event async for event in client.watch(file_hash=HASH, after_event_seq=9)] == []


@pytest.mark.parametrize("names", [{}, {"session_id": "a", "file_hash": HASH}], ids=["none", "both"])
async def test_a_meeting_is_watched_by_one_name(any_call: Running, names: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="session_id or by file_hash"):
        await anext(any_call[1].watch(**names))  # type: ignore[arg-type]

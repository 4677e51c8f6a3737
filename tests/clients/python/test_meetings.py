"""Recordings and finished meetings, against a real gRPC server that answers as it is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.api import httpbody_pb2
from grpc import StatusCode
from meetra.v1 import export_pb2, insights_pb2, meetings_pb2, search_pb2, speakers_pb2

from meetra_client import InternalError, MeetingFailed, MeetraClient, MeetraError
from meetra_client.uploads import PIECE_BYTES
from tests.clients.python.any_call_server import AnyCallServer

HASH = "f" * 64
Running = tuple[AnyCallServer, MeetraClient]


def uploaded(server: AnyCallServer) -> tuple[meetings_pb2.UploadMeetingRequest, list[bytes]]:
    """The first message, and the pieces after it."""
    first, *rest = [each for each in server.requests if isinstance(each, meetings_pb2.UploadMeetingRequest)]
    return first, [each.body.data for each in rest]


async def test_a_recording_is_streamed_whole_after_what_is_stated_of_it(any_call: Running, tmp_path: Path) -> None:
    server, client = any_call
    path, content = tmp_path / "meeting.wav", bytes(range(256)) * (PIECE_BYTES // 128) + b"end"
    path.write_bytes(content)
    server.answers["UploadMeeting"] = [meetings_pb2.UploadMeetingResponse(file_hash=HASH)]
    told: list[tuple[int, int]] = []
    receipt = await client.upload(
        path,
        n_speakers=3,
        key_terms=["Ada"],
        channels="separate",
        consent=["Ada; said so"],
        redact="email",
        progress=lambda sent, total: told.append((sent, total)),
    )
    assert receipt.file_hash == HASH
    first, pieces = uploaded(server)
    assert (first.name, first.n_speakers, list(first.key_terms), first.channels, list(first.consent), first.redact) == (
        "meeting.wav",
        3,
        ["Ada"],
        "separate",
        ["Ada; said so"],
        "email",
    )
    assert not first.body.data
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= PIECE_BYTES
    assert server.sizes == [str(len(content))]
    assert told == [(sent, len(content)) for sent in (0, PIECE_BYTES, 2 * PIECE_BYTES, len(content))]


async def test_an_open_file_is_sent_from_where_it_stands_and_stays_open(any_call: Running, tmp_path: Path) -> None:
    server, client = any_call
    (tmp_path / "a.wav").write_bytes(b"skipped, recording")
    with (tmp_path / "a.wav").open("rb") as file:
        file.seek(9)
        await client.upload(file, name="Weekly")
        assert not file.closed
    first, pieces = uploaded(server)
    assert (first.name, b"".join(pieces), server.sizes) == ("Weekly", b"recording", ["9"])


async def test_an_upload_is_never_repeated_by_itself(any_call: Running) -> None:
    server, client = any_call
    server.failures = [StatusCode.UNAVAILABLE]
    with pytest.raises(MeetraError, match="as it was told"):
        await client.upload(b"x")
    assert len(server.called) == 1


async def test_a_file_that_is_not_there_is_said_before_any_call(any_call: Running, tmp_path: Path) -> None:
    server, client = any_call
    with pytest.raises(FileNotFoundError):
        await client.upload(tmp_path / "nothing.wav")
    assert server.called == []


def said(*states: str) -> list[meetings_pb2.GetMeetingStatusResponse]:
    return [meetings_pb2.GetMeetingStatusResponse(status=state, message=f"it is {state}") for state in states]


@pytest.mark.parametrize("last", ["ready", "failed"])
async def test_states_are_followed_to_the_last(any_call: Running, last: str) -> None:
    server, client = any_call
    server.answers["GetMeetingStatus"] = [*said("queued", "processing", last, "never asked for")]
    states = [state.status async for state in client.states(HASH, every_s=0.01)]
    assert states == ["queued", "processing", last]
    assert {getattr(request, "file_hash", "") for request in server.requests} == {HASH}


async def test_waiting_tells_what_changes_and_ends_when_the_meeting_is_ready(any_call: Running) -> None:
    server, client = any_call
    server.answers["GetMeetingStatus"] = [*said("queued", "queued", "ready")]
    told: list[str] = []
    assert (await client.wait(HASH, progress=lambda state: told.append(state.status))).status == "ready"
    assert told == ["queued", "ready"]


async def test_waiting_for_a_meeting_that_fails_raises_its_reason(any_call: Running) -> None:
    server, client = any_call
    server.answers["GetMeetingStatus"] = [*said("failed")]
    with pytest.raises(MeetingFailed, match="it is failed"):
        await client.wait(HASH)


async def test_meetings_are_listed_over_all_pages(any_call: Running) -> None:
    server, client = any_call
    pages = [("a", "b"), ("c",), ()]
    server.answers["ListMeetings"] = [
        meetings_pb2.ListMeetingsResponse(
            meetings=[meetings_pb2.MeetingSummary(name=name) for name in names],
            next_page_token="" if at == 2 else f"page {at + 1}",
        )
        for at, names in enumerate(pages)
    ]
    assert [meeting.name async for meeting in client.meetings(page_size=2)] == ["a", "b", "c"]
    asked = [request for request in server.requests if isinstance(request, meetings_pb2.ListMeetingsRequest)]
    assert [(request.page_size, request.page_token) for request in asked] == [(2, ""), (2, "page 1"), (2, "page 2")]


async def test_speakers_are_asked_for(any_call: Running) -> None:
    server, client = any_call
    await client.speakers(HASH, details=True, live=True)
    assert server.requests == [speakers_pb2.ListSpeakersRequest(file_hash=HASH, include_details=True, live=True)]


async def test_a_transcript_is_asked_for_by_its_own_name(any_call: Running) -> None:
    server, client = any_call
    await client.transcript(HASH, live=True)
    assert server.called == ["meetra.v1.InsightsService/GetTranscription"]
    assert server.requests == [insights_pb2.GetTranscriptionRequest(file_hash=HASH, live=True)]


async def test_a_meeting_is_exported_piece_by_piece(any_call: Running) -> None:
    server, client = any_call
    server.answers["ExportMeeting"] = [
        export_pb2.ExportMeetingResponse(body=httpbody_pb2.HttpBody(content_type="text/vtt", data=b"WEBVTT"))
    ]
    assert [piece async for piece in client.export_meeting(HASH, "vtt")] == [b"WEBVTT"]
    assert server.requests == [export_pb2.ExportMeetingRequest(file_hash=HASH, format="vtt")]
    server.failures = [StatusCode.INTERNAL]
    with pytest.raises(InternalError):
        await anext(client.export_meeting(HASH, "vtt"))


async def test_a_search_asks_what_it_is_told_and_returns_what_was_found(any_call: Running) -> None:
    server, client = any_call
    found = search_pb2.SearchMeetingsResponse(results=[search_pb2.SearchResult(text="The budget.")], notice="n")
    server.answers["SearchMeetings"] = [found]
    filters = {"by": "words", "speaker": "Ada", "date_from": "2026-01-01", "date_to": "2026-02-01", "topic": "money"}
    rest = {"language": "en", "file_hash": HASH}
    assert await client.search("budget", **filters, **rest, limit=3) == found
    assert server.requests[-1] == search_pb2.SearchMeetingsRequest(query="budget", **filters, **rest, limit=3)

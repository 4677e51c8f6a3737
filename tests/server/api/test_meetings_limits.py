"""What a server refuses once an upload runs, over real gRPC: too much, and callers who are gone; and a full disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.api import httpbody_pb2
from grpc import aio
from meetra.v1 import live_pb2, live_pb2_grpc, meetings_pb2, meetings_pb2_grpc, voices_pb2, voices_pb2_grpc

from server.storage.pool import Database
from tests.recordings import excerpt
from tests.server.api.conftest import Api
from tests.small_disk import small_disk


@pytest.mark.parametrize(
    ("seconds", "reason"), [(8, "exceeds this server's limit of"), (5, "this server's limit is 3 s")]
)
async def test_a_recording_over_a_limit_is_413(api: Api, tmp_path: Path, seconds: int, reason: str) -> None:
    with pytest.raises(aio.AioRpcError) as raised:
        await api.upload(excerpt(seconds))
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason in str(raised.value.details())
    assert dict(raised.value.trailing_metadata() or ())["x-http-code"] == "413"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_a_recording_within_the_limits_is_queued(api: Api) -> None:
    assert (await api.upload(excerpt(2))).status == "queued"


async def test_a_full_disk_is_507_and_says_so(api: Api, tmp_path: Path) -> None:
    with small_disk(tmp_path, 32):
        with pytest.raises(aio.AioRpcError) as raised:
            await api.upload(excerpt(2))
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(raised.value.details()).startswith("The server's disk is full, or almost; nothing was stored.")
    metadata = dict(raised.value.trailing_metadata() or ())
    assert (metadata["x-http-code"], metadata["retry-after"]) == ("507", "60")


@pytest.mark.parametrize("what", ["users", "organizations"])
async def test_a_user_who_is_deleted_while_an_upload_runs_is_401(
    api: Api, owner: Database, tmp_path: Path, what: str
) -> None:
    recording = excerpt(2)

    async def pieces() -> AsyncIterator[meetings_pb2.UploadMeetingRequest]:
        for data in (recording[:9000], recording[9000:]):
            yield meetings_pb2.UploadMeetingRequest(body=httpbody_pb2.HttpBody(content_type="audio/wav", data=data))
            await owner.run(lambda c: c.execute(f"DELETE FROM {what}"))

    stub = meetings_pb2_grpc.MeetingServiceStub(api.channel)
    with pytest.raises(aio.AioRpcError) as raised:
        await stub.UploadMeeting(pieces(), metadata=api.metadata)
    assert (raised.value.code(), raised.value.details()) == (grpc.StatusCode.UNAUTHENTICATED, "Unauthorized")
    assert dict(raised.value.trailing_metadata() or ())["x-http-code"] == "401"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_a_caller_who_is_gone_is_401_while_still_remembered(api: Api, owner: Database) -> None:
    await meetings_pb2_grpc.MeetingServiceStub(api.channel).ListMeetings(
        meetings_pb2.ListMeetingsRequest(), metadata=api.metadata
    )
    await owner.run(lambda c: c.execute("DELETE FROM organizations"))
    track = live_pb2.TrackConfig(track_id="t", kind=live_pb2.TRACK_KIND_MIXED, sample_rate_hz=16_000)
    track.encoding = live_pb2.AUDIO_ENCODING_PCM_S16LE
    calls = (
        live_pb2_grpc.LiveServiceStub(api.channel).OpenMeeting(
            live_pb2.OpenMeetingRequest(config=live_pb2.LiveConfig(tracks=[track])), metadata=api.metadata
        ),
        voices_pb2_grpc.VoiceServiceStub(api.channel).UpdateVoiceSettings(
            voices_pb2.UpdateVoiceSettingsRequest(recognise=True), metadata=api.metadata
        ),
        api.upload(excerpt(1)),
    )
    for call in calls:
        with pytest.raises(aio.AioRpcError) as raised:
            await call
        assert (raised.value.code(), raised.value.details()) == (grpc.StatusCode.UNAUTHENTICATED, "Unauthorized")

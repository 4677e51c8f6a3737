"""A server with small limits refuses what is over them, as 413, over real gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from google.api import httpbody_pb2
from grpc import aio
from meetra.v1 import meetings_pb2, meetings_pb2_grpc
from pydantic import SecretStr

from server.api.serve import build_server
from server.auth import Tokens
from server.config import ServerSettings
from server.live.meeting import LiveParts
from server.live.meetings import LiveMeetings
from server.live.recording import LiveRecordings
from server.meetings.analysis import Analyst
from server.meetings.audio_log import AudioLog
from server.meetings.deletion import Deletion
from server.meetings.job_runner import JobRunner
from server.meetings.upload import Uploads
from server.storage import users
from server.storage.pool import Database
from tests.recordings import excerpt


@pytest.fixture
async def upload(database: Database, tmp_path: Path) -> AsyncIterator[object]:
    tokens = Tokens("s" * 40, 60)
    user_id = await database.run(lambda c: users.ensure_user(c, "Org", "a@example.org", "hash"))
    user = await database.run(lambda c: users.find(c, user_id))
    assert user is not None
    uploads = Uploads(AudioLog(tmp_path), database, max_bytes=200_000, max_duration_s=3)
    audio_log = AudioLog(tmp_path)
    settings = ServerSettings(database_url=SecretStr("unused"), jwt_secret=SecretStr("s" * 40), audio_dir=tmp_path)
    analyst = Analyst(database, audio_log, settings, LiveRecordings(database, audio_log).of)
    runner = JobRunner(settings, database)
    live = LiveMeetings(LiveParts(settings, database, audio_log, analyst, runner, ThreadPoolExecutor(1)))
    server = build_server(database, tokens, uploads, Deletion(audio_log, database), live, settings)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    metadata = (("authorization", f"Bearer {tokens.issue(user.id, user.organization_id)}"),)

    async def call(recording: bytes) -> meetings_pb2.UploadMeetingResponse:
        async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            body = httpbody_pb2.HttpBody(content_type="audio/wav", data=recording)
            requests = iter([meetings_pb2.UploadMeetingRequest(body=body)])
            stub = meetings_pb2_grpc.MeetingServiceStub(channel)
            return await stub.UploadMeeting(requests, metadata=metadata)

    yield call
    await server.stop(None)
    await analyst.inference.close()


@pytest.mark.parametrize(("seconds", "reason"), [(8, "larger than"), (5, "this server accepts 3 s")])
async def test_a_recording_over_a_limit_is_413(upload: object, tmp_path: Path, seconds: int, reason: str) -> None:
    with pytest.raises(aio.AioRpcError) as raised:
        await upload(excerpt(seconds))  # type: ignore[operator]
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason in str(raised.value.details())
    assert dict(raised.value.trailing_metadata() or ())["x-http-code"] == "413"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_a_recording_within_the_limits_is_queued(upload: object) -> None:
    assert (await upload(excerpt(2))).status == "queued"  # type: ignore[operator]

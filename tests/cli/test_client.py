"""The command line's own client, against a real gRPC server that fails as it is told to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode, aio
from meetra.v1 import auth_pb2, auth_pb2_grpc, meetings_pb2, meetings_pb2_grpc

from cli.client import CHUNK_BYTES, CallFailed, Client


@dataclass
class Server(auth_pb2_grpc.AuthServiceServicer, meetings_pb2_grpc.MeetingServiceServicer):
    """Takes logins and uploads; each call first fails with the next of ``failures``."""

    failures: list[StatusCode] = field(default_factory=list)
    statuses: list[str] = field(default_factory=lambda: ["ready"])
    received: list[meetings_pb2.UploadMeetingRequest] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    async def _called(self, context: Any) -> None:
        self.tokens.append(dict(context.invocation_metadata()).get("authorization", ""))
        if self.failures:
            await context.abort(self.failures.pop(0), "as it was told")

    async def Login(self, request: auth_pb2.LoginRequest, context: Any) -> auth_pb2.LoginResponse:  # noqa: N802
        await self._called(context)
        return auth_pb2.LoginResponse(token=f"{request.email}:{request.password}")

    async def UploadMeeting(  # noqa: N802
        self, requests: AsyncIterator[meetings_pb2.UploadMeetingRequest], context: Any
    ) -> meetings_pb2.UploadMeetingResponse:
        await self._called(context)
        self.received = [request async for request in requests]
        return meetings_pb2.UploadMeetingResponse(file_hash="f" * 64)

    async def GetMeetingStatus(  # noqa: N802
        self, request: meetings_pb2.GetMeetingStatusRequest, context: Any
    ) -> meetings_pb2.GetMeetingStatusResponse:
        await self._called(context)
        return meetings_pb2.GetMeetingStatusResponse(file_hash=request.file_hash, status=self.statuses.pop(0))


@pytest.fixture
async def running() -> AsyncIterator[tuple[Server, Client]]:
    """The server, and a client of it."""
    servicer = Server()  # type: ignore[abstract]  # it has the methods that the client calls
    server = aio.server()
    auth_pb2_grpc.add_AuthServiceServicer_to_server(servicer, server)
    meetings_pb2_grpc.add_MeetingServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with Client(f"http://127.0.0.1:{port}") as client:
        yield servicer, client
    await server.stop(0)


async def test_a_login_gives_the_token_of_all_other_calls(running: tuple[Server, Client]) -> None:
    server, client = running
    assert await client.login("a", "b") == client.token == "a:b"
    assert [state.status async for state in client.states("f" * 64)] == ["ready"]
    assert server.tokens == ["", "Bearer a:b"]


async def test_a_server_that_starts_anew_is_waited_for(running: tuple[Server, Client]) -> None:
    server, client = running
    server.failures = [StatusCode.UNAVAILABLE] * 2
    assert await client.login("a", "b") == "a:b"
    assert len(server.tokens) == 3


@pytest.mark.parametrize("code", [StatusCode.UNAUTHENTICATED, StatusCode.INVALID_ARGUMENT, StatusCode.INTERNAL])
async def test_a_refusal_is_told_in_the_server_s_words_and_not_repeated(
    running: tuple[Server, Client], code: StatusCode
) -> None:
    server, client = running
    server.failures = [code]
    with pytest.raises(CallFailed, match="as it was told"):
        await client.login("a", "b")
    assert len(server.tokens) == 1


async def test_a_recording_is_streamed_whole_after_what_is_stated_of_it(
    running: tuple[Server, Client], tmp_path: Path
) -> None:
    server, client = running
    path, content = tmp_path / "meeting.wav", bytes(range(256)) * (CHUNK_BYTES // 128) + b"end"
    path.write_bytes(content)
    receipt = await client.upload(path, name="Weekly", n_speakers=3, key_terms=["Ada"], channels="separate")
    assert receipt.file_hash == "f" * 64
    first, *rest = server.received
    assert (first.name, first.n_speakers, list(first.key_terms), first.channels) == ("Weekly", 3, ["Ada"], "separate")
    assert not first.body.data
    assert b"".join(request.body.data for request in rest) == content
    assert max(len(request.body.data) for request in rest) <= CHUNK_BYTES


async def test_an_upload_is_never_repeated_by_itself(running: tuple[Server, Client], tmp_path: Path) -> None:
    server, client = running
    server.failures = [StatusCode.UNAVAILABLE]
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(CallFailed):
        await client.upload(tmp_path / "a", name="a")
    assert len(server.tokens) == 1


@pytest.mark.parametrize("last", ["ready", "failed"])
async def test_states_are_followed_to_the_last(running: tuple[Server, Client], last: str) -> None:
    server, client = running
    server.statuses = ["queued", "processing", last, "never asked for"]
    assert [state.status async for state in client.states("f" * 64)] == ["queued", "processing", last]

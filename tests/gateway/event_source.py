"""A real gRPC server whose WatchMeeting says as much, or as little, as a test needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from grpc import aio
from meetra.v1 import live_pb2, live_pb2_grpc

# An event of some 60 kB.
LARGE = live_pb2.LiveEvent(finished=live_pb2.LiveFinished(message="x" * 60_000))


class EventSource(live_pb2_grpc.LiveServiceServicer):
    """Watchers of session "flood" are sent events without end; all others one event, once ``quiet`` is over."""

    def __init__(self) -> None:
        self.quiet = asyncio.Event()

    async def OpenMeeting(self, request: Any, context: Any) -> live_pb2.OpenMeetingResponse:  # noqa: N802
        return live_pb2.OpenMeetingResponse()

    async def SendAudio(self, request: Any, context: Any) -> live_pb2.SendAudioResponse:  # noqa: N802
        return live_pb2.SendAudioResponse()

    async def ControlMeeting(self, request: Any, context: Any) -> live_pb2.ControlMeetingResponse:  # noqa: N802
        return live_pb2.ControlMeetingResponse()

    async def CreateSessionToken(self, request: Any, context: Any) -> live_pb2.CreateSessionTokenResponse:  # noqa: N802
        return live_pb2.CreateSessionTokenResponse()

    async def ListLiveMeetings(self, request: Any, context: Any) -> live_pb2.ListLiveMeetingsResponse:  # noqa: N802
        return live_pb2.ListLiveMeetingsResponse()

    async def WatchMeeting(  # noqa: N802
        self, request: live_pb2.WatchMeetingRequest, context: Any
    ) -> AsyncIterator[live_pb2.WatchMeetingResponse]:
        while request.session_id == "flood":
            yield live_pb2.WatchMeetingResponse(event=LARGE)
        await self.quiet.wait()
        yield live_pb2.WatchMeetingResponse(event=live_pb2.LiveEvent(event_seq=1))

    async def StreamMeeting(  # noqa: N802
        self, requests: AsyncIterator[live_pb2.StreamMeetingRequest], context: Any
    ) -> AsyncIterator[live_pb2.StreamMeetingResponse]:
        await self.quiet.wait()
        yield live_pb2.StreamMeetingResponse(event=live_pb2.LiveEvent(event_seq=1))


@asynccontextmanager
async def event_source() -> AsyncIterator[tuple[EventSource, int]]:
    """The source, and its port."""
    source, server = EventSource(), aio.server()
    live_pb2_grpc.add_LiveServiceServicer_to_server(source, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield source, port
    await server.stop(0)

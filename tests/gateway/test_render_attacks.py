"""What one caller does to the gateway, with a token or without, is no harm to others."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from meetra.v1 import live_pb2, live_pb2_grpc

from meetra_client import error_from
from server.config import ServerSettings
from tests.gateway.conftest import TRACK, House, works
from tests.gateway.running_gateway import PATIENCE_S

pytestmark = pytest.mark.system

# More than the 1024 calls to which Envoy limits a cluster by itself.
CALLS = 1100
CONNECTIONS = 5
# Each channel with a connection of its own.
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


async def ended(call: Any) -> grpc.StatusCode:
    code: grpc.StatusCode = await call.code()
    return code


async def read_to_the_end(call: Any) -> None:
    """Raises aio.AioRpcError where the call ends with an error."""
    while await call.read() is not aio.EOF:
        pass


async def test_health_checks_that_stream_without_a_token_hold_nothing(house: House) -> None:
    async with AsyncExitStack() as stack:
        watches = []
        for _ in range(CONNECTIONS):
            channel = await stack.enter_async_context(aio.insecure_channel(house.address, OWN_CONNECTION))
            stub = health_pb2_grpc.HealthStub(channel)
            watches += [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(CALLS // CONNECTIONS)]
        # Answered, or ended: each has been where it was going.
        await asyncio.gather(*(watch.read() for watch in watches), return_exceptions=True)
        await works(house)
        assert {await watch.code() if watch.done() else None for watch in watches} == {grpc.StatusCode.UNIMPLEMENTED}


async def test_streams_with_a_token_end_at_the_limit_of_their_caller(house: House) -> None:
    metadata = await house.user("Greedy")
    limit = ServerSettings.model_fields["open_calls_per_user"].default
    async with AsyncExitStack() as stack:
        stubs = []
        for _ in range(CONNECTIONS):
            channel = await stack.enter_async_context(aio.insecure_channel(house.address, OWN_CONNECTION))
            stubs.append(live_pb2_grpc.LiveServiceStub(channel))
        opening = live_pb2.OpenMeetingRequest(config=live_pb2.LiveConfig(name="Quiet", tracks=[TRACK]))
        opened = await stubs[0].OpenMeeting(opening, metadata=metadata, timeout=PATIENCE_S)
        request = live_pb2.WatchMeetingRequest(session_id=opened.ready.session_id)
        watches = [stubs[number % CONNECTIONS].WatchMeeting(request, metadata=metadata) for number in range(CALLS)]
        reading = {asyncio.ensure_future(read_to_the_end(watch)): watch for watch in watches}
        refusals: Counter[str] = Counter()
        async with asyncio.timeout(PATIENCE_S):
            while refusals.total() < CALLS - limit:
                done, _ = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    del reading[task]
                    heard = task.exception()
                    assert isinstance(heard, aio.AioRpcError)
                    error = error_from(heard)
                    refusals[f"{type(error).__name__}: {error} {error.facts}"] += 1
        (told,) = refusals
        assert told.startswith(f"TooManyOpenCalls: This user has its limit of {limit} open streams"), told
        await works(house)
        assert len(reading) == limit
        for watch in reading.values():
            watch.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
        # Whose streams have ended may open others.
        async with asyncio.timeout(PATIENCE_S):
            while True:
                again = stubs[0].WatchMeeting(request, metadata=metadata)
                ends, _ = await asyncio.wait([asyncio.ensure_future(ended(again))], timeout=1)
                again.cancel()
                if not ends:
                    break


@pytest.mark.parametrize(
    "method",
    [
        "/meetra.v1.AuthService/Login",
        "/meetra.v1.MeetingService/ListMeetings",
        "/meetra.v1.MeetingService/UploadMeeting",
        "/meetra.v1.LiveService/SendAudio",
        "/meetra.v1.LiveService/StreamMeeting",
        "/meetra.v1.LiveService/WatchMeeting",
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ],
)
async def test_calls_that_are_never_completed_hold_nothing(house: House, method: str) -> None:
    async def nothing() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    async with AsyncExitStack() as stack:
        begun = []
        for _ in range(CONNECTIONS):
            channel = await stack.enter_async_context(aio.insecure_channel(house.address, OWN_CONNECTION))
            call: Any = channel.stream_unary(method)
            begun += [call(nothing()) for _ in range(CALLS // CONNECTIONS)]
            # Calls of a connection arrive in their order.
            health = health_pb2_grpc.HealthStub(channel)
            await ended(health.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S))
        await works(house)
        for call in begun:
            call.cancel()

"""Every call: who calls is known before anything runs, and whatever breaks is told without our insides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import grpc
import pytest
from grpc import aio
from meetra.v1 import access_pb2

from privacy.log_context import current_log_context
from server.api.access import OpenStreams
from server.api.interceptor import CallInterceptor
from server.api.open_calls import OpenCallLimits, OpenCalls
from server.audio import StoreUnavailable
from server.audit import AuditTrail
from server.auth import Authenticator, current_caller
from server.disk import DiskFull
from server.errors import MeetingNotFound
from server.storage.pool import Database, DatabaseFull, DatabaseUnavailable, ReferenceDeleted
from tests.monitoring.counting import counting, samples
from tests.server.signing import tokens
from tests.server.storage.rows import make_user

RIGHTS = {
    "/test.Guarded/Unary": frozenset({access_pb2.RIGHT_READ}),
    "/test.Guarded/Stream": frozenset({access_pb2.RIGHT_READ}),
}
TOKENS = tokens(60)


def rights_of(method: str) -> frozenset[int]:
    return RIGHTS.get(method, frozenset())


class Service:
    """Methods of all four kinds, which raise ``error`` if there is one."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.callers: list[UUID] = []
        self.known_in_logs: list[dict[str, str]] = []
        self.closed = asyncio.Event()

    def _called(self) -> None:
        self.callers.append(current_caller().user_id)
        self.known_in_logs.append(dict(current_log_context()))
        if self.error is not None:
            raise self.error

    async def unary(self, request: bytes, context: object) -> bytes:
        self._called()
        return request

    async def stream(self, requests: AsyncIterator[bytes], context: object) -> AsyncIterator[bytes]:
        try:
            async for request in requests:
                yield request
                self._called()
        finally:
            self.closed.set()


@pytest.fixture
async def guarded(
    owner: Database, database: Database
) -> AsyncIterator[tuple[Service, aio.Channel, tuple[tuple[str, str], ...]]]:
    """The service behind the interceptor, a channel to it, and the metadata of a user."""
    service = Service()
    authenticator, limits = Authenticator(TOKENS, database), OpenCallLimits(10, 10)
    server = aio.server(
        interceptors=[
            CallInterceptor(
                authenticator, OpenCalls(limits), OpenStreams(authenticator), AuditTrail(database, 1000), rights_of
            )
        ]
    )
    methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "Unary": grpc.unary_unary_rpc_method_handler(service.unary),
        "Stream": grpc.stream_stream_rpc_method_handler(service.stream),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Guarded", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    user = await make_user(owner)
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield service, channel, (("authorization", f"Bearer {TOKENS.issue(user.id, user.token_generation)}"),)
    await server.stop(0)


def unary(channel: aio.Channel, method: str) -> aio.UnaryUnaryMultiCallable[bytes, bytes]:
    return channel.unary_unary(method)


def stream(channel: aio.Channel) -> aio.StreamStreamMultiCallable[bytes, bytes]:
    return channel.stream_stream("/test.Guarded/Stream")


Guarded = tuple[Service, aio.Channel, tuple[tuple[str, str], ...]]


async def refusal(guarded: Guarded, metadata: tuple[tuple[str, str], ...] | None = None) -> tuple[str, str, str]:
    """Status, message and HTTP status of a call that fails."""
    _, channel, own = guarded
    with pytest.raises(aio.AioRpcError) as raised:
        await unary(channel, "/test.Guarded/Unary")(b"x", metadata=own if metadata is None else metadata)
    http = dict(raised.value.trailing_metadata() or ()).get("x-http-code", "")
    return raised.value.code().name, raised.value.details() or "", str(http)


async def test_without_a_token_nothing_runs(guarded: Guarded) -> None:
    service, channel, _ = guarded
    assert await refusal(guarded, ()) == ("UNAUTHENTICATED", "Unauthorized", "401")
    call = stream(channel)(iter([b"x"]))
    with pytest.raises(aio.AioRpcError):
        await call.read()
    assert service.callers == []


async def test_calls_and_streams_know_their_caller(guarded: Guarded) -> None:
    service, channel, metadata = guarded
    named = (*metadata, ("x-request-id", "9.A-b_"))
    assert await unary(channel, "/test.Guarded/Unary")(b"x", metadata=named) == b"x"
    assert service.known_in_logs[0].keys() == {"request", "organization"}
    assert service.known_in_logs[0]["request"] == "9.A-b_"
    call = stream(channel)(iter([b"a", b"b"]), metadata=metadata)
    assert [message async for message in call] == [b"a", b"b"]
    assert samples("meetra_streams_open")["meetra_streams_open{method=Guarded/Stream}"] == 0
    assert len(service.callers) == 3
    assert len(set(service.callers)) == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MeetingNotFound(), ("NOT_FOUND", "Meeting not found", "404")),
        (DatabaseUnavailable("postgresql://secret"), ("UNAVAILABLE", "Service unavailable, try again", "503")),
        (StoreUnavailable("s3://secret"), ("UNAVAILABLE", "Service unavailable, try again", "503")),
        (ReferenceDeleted("user"), ("UNAUTHENTICATED", "Unauthorized", "401")),
        (ReferenceDeleted("organization"), ("UNAUTHENTICATED", "Unauthorized", "401")),
        (ReferenceDeleted("meeting"), ("NOT_FOUND", "Meeting not found", "404")),
        (ReferenceDeleted("another key"), ("INTERNAL", "Internal error", "500")),
        (RuntimeError("an inside"), ("INTERNAL", "Internal error", "500")),
        (KeyError("a secret"), ("INTERNAL", "Internal error", "500")),
    ],
)
async def test_what_breaks_is_told_in_words_for_callers(
    guarded: Guarded, error: Exception, told: tuple[str, str, str]
) -> None:
    guarded[0].error = error
    with counting("meetra_") as counted:
        assert await refusal(guarded) == told
    assert counted[f"meetra_calls_total{{method=Guarded/Unary,status={told[0]}}}"] == 1
    assert [value for name, value in counted.items() if name.startswith("meetra_refusals_total")] == [1]


@pytest.mark.parametrize("error", [DiskFull(), DatabaseFull("no room")])
async def test_a_full_disk_is_told_as_one(guarded: Guarded, error: Exception) -> None:
    guarded[0].error = error
    status, message, http = await refusal(guarded)
    assert (status, http) == ("RESOURCE_EXHAUSTED", "507")
    assert "disk is full" in message


async def test_a_stream_that_breaks_keeps_what_it_said_and_releases_what_it_held(guarded: Guarded) -> None:
    service, channel, metadata = guarded
    service.error = RuntimeError("an inside")
    call = stream(channel)(iter([b"a", b"b"]), metadata=metadata)
    assert await call.read() == b"a"
    with pytest.raises(aio.AioRpcError) as raised:
        await call.read()
    assert raised.value.details() == "Internal error"
    await asyncio.wait_for(service.closed.wait(), 60)


async def test_a_stream_that_is_left_releases_what_it_held(guarded: Guarded) -> None:
    service, channel, metadata = guarded
    call = stream(channel)(metadata=metadata)
    await call.write(b"a")
    assert await call.read() == b"a"
    with counting("meetra_calls") as counted:
        call.cancel()
        await asyncio.wait_for(service.closed.wait(), 60)
        async with asyncio.timeout(60):
            while samples("meetra_streams_open")["meetra_streams_open{method=Guarded/Stream}"]:
                await asyncio.sleep(0.01)
    # gRPC ends the requests of a call that is cancelled, or cancels its task, whichever it comes to first.
    assert [value for name, value in counted.items() if name.startswith("meetra_calls_total")] == [1]


async def test_an_unknown_method_is_unimplemented(guarded: Guarded) -> None:
    _, channel, metadata = guarded
    with pytest.raises(aio.AioRpcError) as raised:
        await unary(channel, "/test.Guarded/Nothing")(b"", metadata=metadata)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED

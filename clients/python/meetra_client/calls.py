"""A gRPC channel that signs in, repeats reads, and raises the errors of ``meetra_client.errors``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.api import annotations_pb2
from google.protobuf import descriptor_pool
from grpc import StatusCode, aio

from meetra_client.connection import Endpoint
from meetra_client.credentials import Credentials
from meetra_client.errors import ConnectionLost, MeetraError, Unauthenticated
from meetra_client.reconnect import Backoff
from meetra_client.refusals import error_from

CALL_TIMEOUT_S = 60.0
"""Of a call without a stream, unless the caller gives another."""


def is_read(path: str) -> bool:
    """Return whether a method only reads, as its HTTP binding says: GET.

    Args:
        path: ``/meetra.v1.Service/Method``.
    """
    method = descriptor_pool.Default().FindMethodByName(path.strip("/").replace("/", "."))
    return bool(method.GetOptions().Extensions[annotations_pb2.http].HasField("get"))


class AuthorizedChannel(aio.Channel):
    """A channel for any stub of meetra.v1; a connection is made with the first call, and again when it was lost.

    Calls without a stream are awaitables, others asynchronous iterators; there is nothing else to them. A token that
    had expired is renewed, where there is a password. What is only read is repeated while the server is unavailable.

    Args:
        endpoint: the server.
        credentials: whose tokens to renew.
        token: returns the token, with patience. Raises MeetraError.
        patience_s: for how long reads are repeated, seconds.
    """

    def __init__(
        self, endpoint: Endpoint, credentials: Credentials, token: Callable[[], Awaitable[str]], patience_s: float
    ) -> None:
        self._endpoint, self._credentials, self._token, self._patience_s = endpoint, credentials, token, patience_s
        self._opened: aio.Channel | None = None

    @property
    def _channel(self) -> aio.Channel:
        if self._opened is None:
            self._opened = self._endpoint.channel()
        return self._opened

    async def __aenter__(self) -> AuthorizedChannel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        """Close the connection; a later call opens another."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            await opened.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Return the state of the connection."""
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait until the state differs from the given one."""
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until there is a connection."""
        await self._channel.channel_ready()

    def unary_unary(self, method: str, *serializers: Any, **options: Any) -> Any:
        """See grpc.aio.Channel."""
        repeat = is_read(method)

        async def call(request: Any, *, metadata: Any = None, **others: Any) -> Any:
            others.setdefault("timeout", CALL_TIMEOUT_S)

            async def attempt() -> Any:
                start = self._channel.unary_unary(method, *serializers, **options)
                return await start(request, metadata=await self._signed(metadata), **others)

            return await self._until_answered(attempt, repeat=repeat)

        return call

    def stream_unary(self, method: str, *serializers: Any, **options: Any) -> Any:
        """See grpc.aio.Channel."""

        async def call(requests: Any, *, metadata: Any = None, **others: Any) -> Any:
            start = self._channel.stream_unary(method, *serializers, **options)
            try:
                return await start(requests, metadata=await self._signed(metadata), **others)
            except aio.AioRpcError as error:
                raise error_from(error) from None

        return call

    def unary_stream(self, method: str, *serializers: Any, **options: Any) -> Any:
        """See grpc.aio.Channel."""
        return self._streamed(lambda: self._channel.unary_stream(method, *serializers, **options))

    def stream_stream(self, method: str, *serializers: Any, **options: Any) -> Any:
        """See grpc.aio.Channel."""
        return self._streamed(lambda: self._channel.stream_stream(method, *serializers, **options))

    def _streamed(self, prepare: Callable[[], Any]) -> Any:
        async def call(request: Any, *, metadata: Any = None, **others: Any) -> AsyncIterator[Any]:
            running = prepare()(request, metadata=await self._signed(metadata), **others)
            try:
                async for message in running:
                    yield message
            except aio.AioRpcError as error:
                raise error_from(error) from None
            finally:
                running.cancel()

        return call

    async def _signed(self, metadata: Any) -> tuple[tuple[str, str | bytes], ...]:
        return (*(metadata or ()), ("authorization", f"Bearer {await self._token()}"))

    async def _until_answered(self, attempt: Callable[[], Awaitable[Any]], *, repeat: bool) -> Any:
        backoff, renewed = Backoff(self._patience_s), False
        while True:
            try:
                return await attempt()
            except aio.AioRpcError as error:
                failure: MeetraError = error_from(error)
            if isinstance(failure, Unauthenticated) and self._credentials.can_renew and not renewed:
                renewed = True
                self._credentials.expire()
            elif repeat and failure.code is StatusCode.UNAVAILABLE:
                await backoff.wait(ConnectionLost(f"UNAVAILABLE: {failure}", failure))
            else:
                raise failure

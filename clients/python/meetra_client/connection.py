"""One connection to the server: a dedicated channel with one call, and reliable cleanup of both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import grpc
from grpc import aio
from meetra.v1 import auth_pb2, auth_pb2_grpc, live_pb2, live_pb2_grpc

from meetra_client.errors import ConnectionLost
from meetra_client.refusals import classify_failure

MAX_ANSWER_BYTES = 256 * 1024 * 1024
READY_TIMEOUT_S, LOGIN_TIMEOUT_S, END_TIMEOUT_S = 20.0, 20.0, 5.0
CLOSE_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The server's address, and how soon a dead server is noticed."""

    target: str
    secure: bool
    keepalive_s: float

    @classmethod
    def parse(cls, url: str, keepalive_s: float) -> Endpoint:
        """Parse ``http://host[:port]`` or ``https://host[:port]``.

        Args:
            keepalive_s: interval of connection probes, seconds.

        Raises ValueError for anything else.
        """
        invalid = f"invalid server address {url!r}; use http://host:port or https://host:port"
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise ValueError(f"{invalid} ({error})") from None
        host = parts.hostname
        if parts.scheme not in ("http", "https") or not host or parts.path not in ("", "/"):
            raise ValueError(invalid)
        return cls(f"{f'[{host}]' if ':' in host else host}:{port}", parts.scheme == "https", keepalive_s)

    def channel(self) -> aio.Channel:
        """Create a channel with its own TCP connection; the caller closes it."""
        options = [
            # Otherwise a new channel would share the broken connection and its reconnect backoff.
            ("grpc.use_local_subchannel_pool", 1),
            # A dead peer is noticed after interval plus timeout. The timeout has two names: with only the documented
            # one, gRPC 1.85 waits a minute (grpc#39239).
            ("grpc.keepalive_time_ms", int(self.keepalive_s * 1000)),
            ("grpc.keepalive_timeout_ms", int(self.keepalive_s * 800)),
            ("grpc.http2.ping_timeout_ms", int(self.keepalive_s * 800)),
            ("grpc.http2.max_pings_without_data", 0),
            # A call that is repeated while the server restarts must not wait for gRPC's own backoff, two minutes.
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 2000),
            # Answers of a day's meeting are longer than gRPC's 4 MiB.
            ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
        ]
        if self.secure:
            return aio.secure_channel(self.target, grpc.ssl_channel_credentials(), options)
        return aio.insecure_channel(self.target, options)

    async def login(self, email: str, password: str) -> str:
        """Log in and return a token. Raises InvalidCredentials or another MeetraError, and ConnectionLost."""
        async with self.channel() as channel:
            stub = auth_pb2_grpc.AuthServiceStub(channel)
            try:
                request = auth_pb2.LoginRequest(email=email, password=password)
                return (await stub.Login(request, timeout=LOGIN_TIMEOUT_S)).token
            except aio.AioRpcError as error:
                raise classify_failure(error) from None


def call_metadata(token: str, session_id: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata of a live call: with the session, so that the gateway sends its calls to one server."""
    signed = (("authorization", f"Bearer {token}"),)
    try:
        return (*signed, ("x-live-session", str(UUID(session_id))))
    except ValueError:
        # A new session, or what the server will refuse.
        return signed


class Connection:
    """One ``StreamMeeting`` call, started by ``open`` and ended by ``close``.

    ``read`` and ``write`` may be cancelled without affecting the call, unlike gRPC's own. So a connection can be
    abandoned as it is, as if the network had failed.
    """

    def __init__(self, endpoint: Endpoint, token: str) -> None:
        self._endpoint, self._token = endpoint, token
        self._channel: aio.Channel | None = None
        self._call: Any = None
        self._operations: dict[str, asyncio.Future[Any]] = {}
        self.cut = asyncio.Event()
        """Set it to abandon this connection for a new one."""
        self.silently = False
        """Whether to abandon it without informing the server."""

    async def open(self, config: live_pb2.LiveConfig) -> live_pb2.LiveReady:
        """Send ``config`` and return the server's ``ready``. Raises MeetraError, ConnectionLost."""
        self._channel = self._endpoint.channel()
        stub = live_pb2_grpc.LiveServiceStub(self._channel)
        self._call = stub.StreamMeeting(metadata=call_metadata(self._token, config.session_id))
        # Errors of the call reach the reader; the writer only learns that it has ended.
        first = asyncio.ensure_future(self.write(live_pb2.StreamMeetingRequest(config=config)))
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                answer = await self.read()
        except TimeoutError:
            raise ConnectionLost(f"no response within {READY_TIMEOUT_S:.0f} s") from None
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
        if not answer.HasField("ready"):
            raise ConnectionLost("the first response was not `ready`")
        return answer.ready

    async def read(self) -> live_pb2.StreamMeetingResponse:
        """Return the next message.

        Raises ConnectionLost at the end of the stream, MeetraError if the server refuses.
        """
        message = await self._finish("read", self._call.read)
        if message is aio.EOF:
            raise ConnectionLost("the stream ended before the meeting did")
        answer: live_pb2.StreamMeetingResponse = message
        return answer

    async def write(self, message: live_pb2.StreamMeetingRequest) -> None:
        """Send a message, with backpressure. Raises ConnectionLost if the call has ended."""
        if "write" in self._operations:
            await self._finish("write", self._noop)
        try:
            await self._finish("write", lambda: self._call.write(message))
        except asyncio.InvalidStateError:
            raise ConnectionLost("the call has ended") from None

    async def wait_for_end(self) -> None:
        """Wait up to END_TIMEOUT_S for the server to end the stream."""
        try:
            async with asyncio.timeout(END_TIMEOUT_S):
                while True:
                    await self.read()
        except Exception:
            # Everything relevant was received before, whatever the error.
            return

    async def close(self) -> None:
        """Cancel the call, close the channel, and wait for both."""
        if self._call is not None:
            self._call.cancel()
        try:
            if operations := list(self._operations.values()):
                # A write that waits for its call to begin is left waiting by gRPC when the call is cancelled.
                _, left = await asyncio.wait(operations, timeout=CLOSE_TIMEOUT_S)
                for operation in left:
                    operation.cancel()
                await asyncio.gather(*operations, return_exceptions=True)
        finally:
            self._operations.clear()
            if self._channel is not None:
                await self._channel.close()
                self._channel = None

    async def _noop(self) -> None:
        return

    async def _finish(self, name: str, start: Callable[[], Awaitable[Any]]) -> Any:
        """Await the pending operation of this name, or start one and await it."""
        operation = self._operations.get(name)
        if operation is None:
            operation = self._operations[name] = asyncio.ensure_future(start())
        try:
            return await asyncio.shield(operation)
        except aio.AioRpcError as error:
            raise classify_failure(error) from None
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if operation.cancelled() and not (waiting and waiting.cancelling()):
                # The call was cancelled, not the waiting task.
                raise ConnectionLost("the call was cancelled") from None
            raise
        finally:
            if operation.done():
                self._operations.pop(name, None)

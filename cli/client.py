"""A small gRPC client of our API, through the gateway."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from google.api import httpbody_pb2
from grpc import StatusCode, aio
from meetra.v1 import auth_pb2, auth_pb2_grpc, meetings_pb2, meetings_pb2_grpc

from meetra_client.connection import Endpoint

CHUNK_BYTES = 256 * 1024
POLL_S = 0.5
# Seconds between two probes of the connection: only a server that is gone is to be noticed, not a busy one.
KEEPALIVE_S = 120.0
# Seconds for which calls are retried while part of the system restarts.
PATIENCE_S = 60.0
REACH_TIMEOUT_S = 10.0
# As gRPC reads them.
PROXY_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy")


class CallFailed(Exception):
    """The server refused the call; the message is the server's."""


async def check_reachable(gateway: str) -> None:
    """Connect to the gateway once. Raises CallFailed where nothing answers there, or the address is none."""
    try:
        endpoint = Endpoint.parse(gateway, KEEPALIVE_S)
    except ValueError as error:
        raise CallFailed(str(error)) from None
    # Behind a proxy the gateway need not be reachable from here, nor its name be known.
    if any(os.environ.get(name) for name in PROXY_VARIABLES):
        return
    host, _, port = endpoint.target.rpartition(":")
    try:
        async with asyncio.timeout(REACH_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        writer.close()
    except TimeoutError:
        raise CallFailed(f"cannot reach {gateway}: no answer within {REACH_TIMEOUT_S:.0f} s") from None
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CallFailed(f"cannot reach {gateway}: {reason}; is it running, and is the address right?") from None


class Client:
    """A logged-in user; an async context manager."""

    def __init__(self, gateway: str) -> None:
        try:
            self.channel = Endpoint.parse(gateway, KEEPALIVE_S).channel()
        except ValueError as error:
            raise CallFailed(str(error)) from None
        self.token = ""

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Metadata of all calls but the login."""
        return (("authorization", f"Bearer {self.token}"),)

    async def login(self, email: str, password: str, *, patience_s: float = PATIENCE_S) -> str:
        """Log in and return the token. Arguments and errors as those of ``call``."""
        stub = auth_pb2_grpc.AuthServiceStub(self.channel)
        request = auth_pb2.LoginRequest(email=email, password=password)
        answer = await self.call(stub.Login, request, signed=False, patience_s=patience_s)
        self.token = answer.token
        return self.token

    async def call(self, method: Any, request: Any, *, signed: bool = True, patience_s: float = PATIENCE_S) -> Any:
        """Make a call, retried while the server is unavailable, for at most ``patience_s``. Raises CallFailed."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        while True:
            try:
                return await method(request, metadata=self.metadata if signed else None, timeout=30)
            except aio.AioRpcError as error:
                if error.code() != StatusCode.UNAVAILABLE or loop.time() > deadline:
                    raise CallFailed(error.details() or error.code().name) from None
            await asyncio.sleep(POLL_S)

    async def upload(
        self,
        path: Path,
        *,
        name: str,
        date: str = "",
        n_speakers: int = 0,
        language: str = "",
        key_terms: Sequence[str] = (),
        channels: str = "",
        consent: Sequence[str] = (),
        redact: str = "",
    ) -> meetings_pb2.UploadMeetingResponse:
        """Stream a recording to the server and return once it is durable. Raises CallFailed."""

        async def chunks() -> AsyncIterator[meetings_pb2.UploadMeetingRequest]:
            body = httpbody_pb2.HttpBody(content_type="application/octet-stream")
            yield meetings_pb2.UploadMeetingRequest(
                body=body,
                name=name,
                date=date,
                n_speakers=n_speakers,
                language=language,
                key_terms=key_terms,
                channels=channels,
                consent=consent,
                redact=redact,
            )
            with path.open("rb") as file:
                while data := await asyncio.to_thread(file.read, CHUNK_BYTES):
                    yield meetings_pb2.UploadMeetingRequest(body=httpbody_pb2.HttpBody(data=data))

        stub = meetings_pb2_grpc.MeetingServiceStub(self.channel)
        try:
            return await stub.UploadMeeting(chunks(), metadata=self.metadata)
        except aio.AioRpcError as error:
            raise CallFailed(error.details() or error.code().name) from None

    async def states(self, file_hash: str) -> AsyncIterator[meetings_pb2.GetMeetingStatusResponse]:
        """Poll the meeting's state until it is ready or failed, yielding each. Raises CallFailed."""
        stub = meetings_pb2_grpc.MeetingServiceStub(self.channel)
        while True:
            state = await self.call(stub.GetMeetingStatus, meetings_pb2.GetMeetingStatusRequest(file_hash=file_hash))
            yield state
            if state.status in ("ready", "failed"):
                return
            await asyncio.sleep(POLL_S)

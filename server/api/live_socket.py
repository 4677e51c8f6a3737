"""LiveService.StreamMeeting over a WebSocket, for browsers; see proto/meetra/v1/live.proto."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing, suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from meetra.v1 import live_pb2 as pb
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from server.api.socket_call import SocketAborted, SocketCall
from server.api.socket_frames import is_quickly_read, is_quickly_written, read_frame, write_frame
from server.errors import REASON_TRAILER, BadRequest

PATH = "/single-feature-api/live/socket"
PROTOCOL = Subprotocol("meetra.v1")
# A chunk of audio has 64 KiB; of text, ``read_frame`` takes less than this.
MAX_FRAME = 256 * 1024
# Frames that wait to be read: then the connection is not read any more, and the client is slowed.
MAX_WAITING = 2
# Seconds from the handshake to the first frame.
FIRST_FRAME_S = 10.0
# Seconds between two pings, and from a ping to its answer.
PING_EVERY_S, PONG_WITHIN_S = 20.0, 20.0
CLOSE_WITHIN_S = 5.0
# All of them, when the server stops.
STOP_WITHIN_S = 3 * CLOSE_WITHIN_S
# Connections that wait to be taken: pages come back all at once when a network does.
BACKLOG = 1024
# Set by the gateway for a page that may call (`--cors-origin`), whatever the client sent.
ORIGIN_ALLOWED = "x-origin-allowed"
# On DEBUG it would write down headers, and with them tokens.
log = logging.getLogger(__name__)
log.setLevel(logging.WARNING)

# StreamMeeting, as ``CallInterceptor.guard_stream`` returns it.
Stream = Callable[[AsyncIterator[pb.StreamMeetingRequest], Any], AsyncGenerator[pb.StreamMeetingResponse, None]]


class LiveSocket:
    """Serves WebSockets, each a call of StreamMeeting."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._server: Server | None = None
        # JSON that takes milliseconds; one thread, so that the event loop competes with no more.
        self._json = ThreadPoolExecutor(1, thread_name_prefix="frames")

    async def start(self, listen: str) -> None:
        """Serve on ``host:port``. Raises OSError if the address cannot be bound."""
        host, _, port = listen.rpartition(":")
        self._server = await serve(
            self._handle,
            host.strip("[]"),
            int(port),
            process_request=check_handshake,
            process_response=explain_refusal,
            select_subprotocol=_select_protocol,
            compression=None,
            max_size=MAX_FRAME,
            max_queue=MAX_WAITING,
            ping_interval=PING_EVERY_S,
            ping_timeout=PONG_WITHIN_S,
            close_timeout=CLOSE_WITHIN_S,
            server_header=None,
            logger=log,
            backlog=BACKLOG,
        )

    async def stop(self) -> None:
        """Close all connections."""
        if self._server is not None:
            self._server.close()
            try:
                async with asyncio.timeout(STOP_WITHIN_S):
                    await self._server.wait_closed()
            except TimeoutError:
                # One that neither opens nor closes holds nobody up: it ends with the process.
                log.warning("connections of WebSockets were still open after %g s", STOP_WITHIN_S)
        self._json.shutdown(wait=False)

    async def _handle(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        call = SocketCall(socket.request.headers.raw_items())
        read = asyncio.Event()
        answering = asyncio.create_task(self._answer(socket, call, read))
        leaving = asyncio.create_task(_wait_until_left(socket, read))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (answering, leaving):
                task.cancel()
            results = await asyncio.gather(answering, leaving, return_exceptions=True)
            call.end()
        if isinstance(results[0], Exception):
            raise results[0]

    async def _answer(self, socket: ServerConnection, call: SocketCall, read: asyncio.Event) -> None:
        # A connection that is closed under way ends the call, as one of gRPC.
        with suppress(ConnectionClosed):
            try:
                async with aclosing(self._stream(_requests(socket, read, self._json), call)) as responses:
                    async for response in responses:
                        await socket.send(await self._written(response))
            except SocketAborted as error:
                await socket.close(error.code, error.text)
            else:
                await socket.close()

    async def _written(self, response: pb.StreamMeetingResponse) -> str:
        """Return the frame of a message once others had their turn: hundreds of stored events come at once."""
        if not is_quickly_written(response):
            return await asyncio.get_running_loop().run_in_executor(self._json, write_frame, response)
        await asyncio.sleep(0)
        return write_frame(response)


async def _requests(
    socket: ServerConnection, read: asyncio.Event, json_thread: Executor
) -> AsyncGenerator[pb.StreamMeetingRequest, None]:
    """Yield the client's messages until it closes, then set ``read``. Raises BadRequest."""
    try:
        try:
            async with asyncio.timeout(FIRST_FRAME_S):
                frame = await socket.recv()
        except TimeoutError:
            raise BadRequest("config", f"missing; send it within {FIRST_FRAME_S:.0f} s") from None
        while True:
            if is_quickly_read(frame):
                yield read_frame(frame)
            else:
                yield await asyncio.get_running_loop().run_in_executor(json_thread, read_frame, frame)
            frame = await socket.recv()
    except ConnectionClosed:
        read.set()


async def _wait_until_left(socket: ServerConnection, read: asyncio.Event) -> None:
    """Wait until the connection is closed, and what had come by then is read."""
    await socket.wait_closed()
    await read.wait()


def check_handshake(connection: ServerConnection, request: Request) -> Response | None:
    """Return the refusal of a handshake that is for another path, or by a page that may not call; else None."""
    if urlsplit(request.path).path.rstrip("/") != PATH:
        return _refusal(HTTPStatus.NOT_FOUND, "Not found")
    origin, host = request.headers.get("origin", ""), request.headers.get("host", "")
    # As browsers send both: without the port where it is the scheme's own.
    if origin and origin.partition("://")[2] != host and request.headers.get(ORIGIN_ALLOWED) != "true":
        return _refusal(HTTPStatus.FORBIDDEN, "Not allowed for pages of this origin; see --cors-origin of meetra up")
    return None


def explain_refusal(connection: ServerConnection, request: Request, response: Response) -> Response | None:
    """Return a refusal of the library's own, such as of a plain GET, as the API words it; None for others."""
    if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS or "x-http-code" in response.headers:
        return None
    message = "Bad request: upgrade: open a WebSocket (RFC 6455, version 13)"
    return _refusal(HTTPStatus(response.status_code), message, {REASON_TRAILER: BadRequest.reason})


def _refusal(status: HTTPStatus, message: str, more: dict[str, str] | None = None) -> Response:
    body = json.dumps({"message": message}).encode()
    headers = Headers(
        {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "connection": "close",
            # For the gateway, which takes other refusals for its own.
            "x-http-code": str(int(status)),
            **(more or {}),
        }
    )
    if status is HTTPStatus.UPGRADE_REQUIRED:
        headers["upgrade"] = "websocket"
    return Response(int(status), status.phrase, headers, body)


def _select_protocol(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return PROTOCOL if PROTOCOL in offered else None

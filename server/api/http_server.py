"""Plain HTTP beside gRPC: uvicorn in the API's process, for what is no single message in and out."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from server.api.http_call import error_response
from server.errors import InternalError

# Connections that wait to be taken.
BACKLOG = 1024
# Longer than the gateway keeps a connection that is not used, or a request may meet a connection that is being closed.
KEEP_ALIVE_S = 300
# Bytes of a request's headers. The gateway takes 60 KiB.
MAX_HEADERS = 96 * 1024
MESSAGES = {404: "Not found", 405: "Method not allowed"}
log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Leaves signals to the process."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class HttpServer:
    """Serves the routes of plain HTTP.

    Args:
        routes: of Starlette; the first that matches answers.
        grace_s: what running requests get to finish when the server stops, seconds.
    """

    def __init__(self, routes: Sequence[BaseRoute], grace_s: float) -> None:
        self.app = Starlette(
            routes=list(routes),
            exception_handlers={HTTPException: _refuse, Exception: _fail},
        )
        self.app.router.redirect_slashes = False
        self._grace_s = grace_s
        self._server: _Server | None = None
        self._running: asyncio.Task[None] | None = None

    async def start(self, listen: str) -> None:
        """Serve on ``host:port``. Raises OSError if the address cannot be bound."""
        host, _, port = listen.rpartition(":")
        found = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        # Bound here: uvicorn ends the process where it cannot.
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
        config = uvicorn.Config(
            self.app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=round(self._grace_s),
            h11_max_incomplete_event_size=MAX_HEADERS,
        )
        self._server = _Server(config)
        self._running = asyncio.create_task(self._server.serve(sockets=[bound]), name="serve plain HTTP")
        # It has no event for this.
        while not self._server.started and not self._running.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if self._running.done():
            self._running.result()

    async def stop(self) -> None:
        """Let running requests finish within the grace, then end them."""
        if self._server is None or self._running is None:
            return
        self._server.should_exit = True
        await self._running


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer what no route takes."""
    assert isinstance(error, HTTPException)
    message = MESSAGES.get(error.status_code, error.detail)
    return error_response(error.status_code, message, dict(error.headers or {}))


async def _fail(request: Request, error: Exception) -> Response:
    """Answer what broke outside of a call; the log keeps why."""
    log.error("%s failed", request.method, exc_info=error)
    failure: Any = InternalError()
    return error_response(500, failure.message, dict(failure.metadata()))

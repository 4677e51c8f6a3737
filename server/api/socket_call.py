"""A call over a WebSocket, as the code of gRPC's calls sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import grpc
from grpc import aio

from server.api.metadata import CLIENT_ADDRESS
from server.api.socket_frames import close_code, close_reason
from server.errors import REASON_TRAILER

# Headers of a handshake that calls read.
READ = frozenset({"authorization", "x-request-id", CLIENT_ADDRESS})


class SocketAborted(aio.AbortError):
    """A call over a WebSocket ended with an error."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason)
        self.code, self.text = close_code(reason), close_reason(reason, message)


class SocketCall:
    """What ``CallInterceptor`` and the methods behind it use of a ``ServicerContext``."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        named = ((name.lower(), value) for name, value in headers)
        self._metadata = tuple((name, value) for name, value in named if name in READ)
        self._done: list[Callable[[Any], None]] = []

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the headers of the handshake."""
        return self._metadata

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have ``callback`` called once the connection is closed."""
        self._done.append(callback)

    def end(self) -> None:
        """Say that the connection is closed."""
        while self._done:
            self._done.pop()(self)

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Iterable[tuple[str, str | bytes]] = ()
    ) -> NoReturn:
        """Raise SocketAborted with the reason that the trailers name."""
        raise SocketAborted(str(dict(trailing_metadata).get(REASON_TRAILER, "INTERNAL_ERROR")), details)

"""A call over a WebSocket, as the code of gRPC's calls sees it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

import grpc
from grpc import aio

from server.api.header_call import HeaderCall
from server.api.socket_frames import close_code, close_reason
from server.errors import REASON_TRAILER


class SocketAborted(aio.AbortError):
    """A call over a WebSocket ended with an error."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason)
        self.code, self.text = close_code(reason), close_reason(reason, message)


class SocketCall(HeaderCall):
    """A WebSocket, with the headers of its handshake; it is over once the connection is closed."""

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Iterable[tuple[str, str | bytes]] = ()
    ) -> NoReturn:
        """Raise SocketAborted with the reason that the trailers name."""
        raise SocketAborted(str(dict(trailing_metadata).get(REASON_TRAILER, "INTERNAL_ERROR")), details)

"""A call that came with HTTP's headers and not over gRPC, as the code of gRPC's calls sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import grpc

from server.api.metadata import CLIENT_ADDRESS

# Headers that calls read.
READ = frozenset({"authorization", "x-request-id", "traceparent", CLIENT_ADDRESS})


class HeaderCall:
    """What ``CallInterceptor`` and the methods behind it use of a ``ServicerContext``."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        named = ((name.lower(), value) for name, value in headers)
        self._metadata = tuple((name, value) for name, value in named if name in READ)
        self._done: list[Callable[[Any], None]] = []

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the headers that calls read."""
        return self._metadata

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have ``callback`` called once the call's last byte is sent, or its connection is closed."""
        self._done.append(callback)

    def end(self) -> None:
        """Say that the call is over."""
        while self._done:
            self._done.pop()(self)

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Iterable[tuple[str, str | bytes]] = ()
    ) -> NoReturn:
        """Raise the transport's own error with what the trailers say."""
        raise NotImplementedError

"""How a tool calls the public API: with the rights of whoever asked the assistant, over whatever channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from google.protobuf.message import Message
from grpc import aio

StubType = Callable[[aio.Channel], Any]


class CallFailed(Exception):
    """A call was refused; the message is for the assistant."""


class CallApi(Protocol):
    """Makes one call without streams."""

    async def __call__(self, stub: StubType, method: str, request: Message, /) -> Any:
        """Return the response. Raises CallFailed."""

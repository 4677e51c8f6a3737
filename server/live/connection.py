"""The single client that may send audio to a live meeting, and takeover between clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from server.errors import HeldByAnotherClient, MeetraError, TakenOver

# A client of unary calls counts as connected for this long after each call; live.proto and docs/live.md say so.
UNARY_TIMEOUT_S = 10.0


@dataclass(eq=False)
class SenderConnection:
    """A client that sends to the meeting."""

    owner: int
    streams: bool
    """False for a client of unary calls."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    failure: MeetraError | None = None
    """Why the connection must end; None while it may go on."""
    last_used_at: float = field(default_factory=time.monotonic)

    @property
    def is_active(self) -> bool:
        """Whether the connection still excludes other clients."""
        return self.failure is None and (self.streams or time.monotonic() - self.last_used_at < UNARY_TIMEOUT_S)

    def end(self, failure: MeetraError) -> None:
        """End the connection with ``failure``, wake its handler and start the absence clock."""
        self.failure = failure
        self.last_used_at = time.monotonic()
        self.wake.set()


class SenderSlot:
    """Track the current sender, and how long the meeting has been without one."""

    def __init__(self) -> None:
        self.current: SenderConnection | None = None
        self._was_used = False
        self._released_at = time.monotonic()

    async def connect(
        self, next_owner: Callable[[], Awaitable[int]], take_over: bool, streams: bool
    ) -> SenderConnection:
        """Make a new client the sender.

        Args:
            next_owner: returns the connection's owner number; called once the client has the slot.
            take_over: end a connected client instead of refusing the new one.
            streams: False for a client of unary calls.

        Raises HeldByAnotherClient, or whatever ``next_owner`` raises.
        """
        self._was_used = True
        previous = self.current
        if previous is not None and previous.is_active:
            if not take_over:
                raise HeldByAnotherClient
            previous.end(TakenOver())
        self.current = connection = SenderConnection(0, streams)
        try:
            connection.owner = await next_owner()
        except BaseException:
            self.release(connection)
            raise
        return connection

    def is_current(self, connection: SenderConnection) -> bool:
        """Return whether ``connection`` is the current sender and has not failed."""
        return self.current is connection and connection.failure is None

    def release(self, connection: SenderConnection) -> None:
        """Release the sender slot, if ``connection`` has it."""
        if self.current is connection:
            self.current = None
            self._released_at = time.monotonic()

    def adopt(self, owner: int) -> None:
        """Take a client of unary calls, by the number that another process gave it, as the one that sends.

        Nothing changes once a client has connected here.
        """
        if self.current is None and not self._was_used:
            self._was_used = True
            self.current = SenderConnection(owner, streams=False)

    def give_up(self) -> None:
        """End the current connection, if any: its client has come to another process, or is replaced there."""
        if self.current is not None:
            self.current.end(TakenOver())
            self.release(self.current)

    def require(self, owner: int) -> SenderConnection:
        """Return the current connection of a unary-call client by owner number. Raises TakenOver."""
        if self.current is None or self.current.owner != owner or self.current.failure is not None:
            raise TakenOver
        self.current.last_used_at = time.monotonic()
        return self.current

    def end(self, failure: MeetraError) -> None:
        """End the current connection, if any, with ``failure``."""
        if self.current is not None:
            self.current.end(failure)

    @property
    def streams(self) -> bool:
        """Whether the current connection is a stream."""
        return self.current is not None and self.current.streams

    def absent_s(self) -> float:
        """Return for how many seconds no client has been connected; 0 while one is."""
        if self.current is None:
            return time.monotonic() - self._released_at
        return 0.0 if self.current.is_active else time.monotonic() - self.current.last_used_at

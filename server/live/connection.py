"""The single client that may send audio to a live meeting, and takeover between clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from server.errors import HeldByAnotherClient, MeetraError, TakenOver

# A client of unary calls counts as connected for this long after each call.
CALLS_APART_S = 10.0


@dataclass(eq=False)
class Connection:
    """A client that sends to the meeting."""

    owner: int
    streams: bool
    """False for a client of unary calls."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    failure: MeetraError | None = None
    """Why the connection must end; None while it may go on."""
    used_at: float = field(default_factory=time.monotonic)

    @property
    def alive(self) -> bool:
        """Whether the connection still excludes other clients."""
        return self.failure is None and (self.streams or time.monotonic() - self.used_at < CALLS_APART_S)

    def end(self, failure: MeetraError) -> None:
        """End the connection with ``failure``, wake its handler and start the absence clock."""
        self.failure = failure
        self.used_at = time.monotonic()
        self.wake.set()


class Clients:
    """Track the current sender, and how long the meeting has been without one."""

    def __init__(self) -> None:
        self.current: Connection | None = None
        self._left_at = time.monotonic()

    async def connect(self, number: Callable[[], Awaitable[int]], take_over: bool, streams: bool) -> Connection:
        """Make a new client the sender.

        Args:
            number: returns the connection's owner number; called once the client has the slot.
            take_over: end a connected client instead of refusing the new one.
            streams: False for a client of unary calls.

        Raises HeldByAnotherClient, or whatever ``number`` raises.
        """
        before = self.current
        if before is not None and before.alive:
            if not take_over:
                raise HeldByAnotherClient
            before.end(TakenOver())
        self.current = connection = Connection(0, streams)
        try:
            connection.owner = await number()
        except BaseException:
            self.leave(connection)
            raise
        return connection

    def holds(self, connection: Connection) -> bool:
        """Return whether ``connection`` is the current sender and has not failed."""
        return self.current is connection and connection.failure is None

    def leave(self, connection: Connection) -> None:
        """Release the sender slot, if ``connection`` has it."""
        if self.current is connection:
            self.current = None
            self._left_at = time.monotonic()

    def sender(self, owner: int) -> Connection:
        """Return the current connection of a unary-call client by owner number. Raises TakenOver."""
        if self.current is None or self.current.owner != owner or self.current.failure is not None:
            raise TakenOver
        self.current.used_at = time.monotonic()
        return self.current

    def end(self, failure: MeetraError) -> None:
        """End the current connection, if any, with ``failure``."""
        if self.current is not None:
            self.current.end(failure)

    def absent_s(self) -> float:
        """Return for how many seconds no client has been connected; 0 while one is."""
        if self.current is None:
            return time.monotonic() - self._left_at
        return 0.0 if self.current.alive else time.monotonic() - self.current.used_at

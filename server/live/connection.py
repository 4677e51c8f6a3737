"""The one client that sends to a live meeting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from server.errors import HeldByAnotherClient, MeetraError, TakenOver

# A client that sends by single calls counts as connected for so long after each.
CALLS_APART_S = 10.0


@dataclass(eq=False)
class Connection:
    """A client that sends to the meeting."""

    owner: int
    streams: bool
    """False for one that sends by single calls."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    failure: MeetraError | None = None
    """Why it must end."""
    used_at: float = field(default_factory=time.monotonic)

    @property
    def alive(self) -> bool:
        """True while it keeps others out."""
        return self.failure is None and (self.streams or time.monotonic() - self.used_at < CALLS_APART_S)

    def end(self, failure: MeetraError) -> None:
        """Tells the client to go; its absence counts from now."""
        self.failure = failure
        self.used_at = time.monotonic()
        self.wake.set()


class Clients:
    """Who sends, and since when nobody does."""

    def __init__(self) -> None:
        self.current: Connection | None = None
        self._left_at = time.monotonic()

    async def connect(self, number: Callable[[], Awaitable[int]], take_over: bool, streams: bool) -> Connection:
        """A client that sends from now on; ``number`` gives its owner number.

        Raises HeldByAnotherClient, or as ``number``.
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
        """True while the client is the one who sends."""
        return self.current is connection and connection.failure is None

    def leave(self, connection: Connection) -> None:
        """A client has gone."""
        if self.current is connection:
            self.current = None
            self._left_at = time.monotonic()

    def sender(self, owner: int) -> Connection:
        """The connection of a client that sends by single calls. Raises TakenOver."""
        if self.current is None or self.current.owner != owner or self.current.failure is not None:
            raise TakenOver
        self.current.used_at = time.monotonic()
        return self.current

    def end(self, failure: MeetraError) -> None:
        """Tells whoever is connected to go."""
        if self.current is not None:
            self.current.end(failure)

    def absent_s(self) -> float:
        """For how long nobody has been connected, seconds; 0 while somebody is."""
        if self.current is None:
            return time.monotonic() - self._left_at
        return 0.0 if self.current.alive else time.monotonic() - self.current.used_at

"""Whether the inference servers have room for another live meeting, known before somebody asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from server.engine.replica import Overload, Replica

# How often servers are asked while live meetings are opened, seconds, and for how long after the last one.
WATCH_EVERY_S, WATCHED_S = 2.0, 60.0
# What was told so long ago, seconds, is asked for again before a meeting is opened.
KNOWN_S = 3.0
# How long a server may take to answer, seconds: else what it told before counts.
TIMEOUT_S = 1.0


class LoadWatch:
    """Ask inference servers for their load, for as long as live meetings are opened: most are refused at once."""

    def __init__(self, in_use: Callable[[], list[Replica]]) -> None:
        """``in_use``: returns the servers that get sessions."""
        self._in_use = in_use
        self._wanted_at = float("-inf")
        self._watching: asyncio.Task[None] | None = None

    async def overload(self, organization: str) -> Overload | None:
        """Return why an organization should open no further live meeting: each of the servers says so; None: open it.

        A server that tells nothing has room.
        """
        self._wanted_at = time.monotonic()
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="watch the load of inference servers")
        await self._ask(KNOWN_S)
        told = [replica.overload(organization) for replica in self._in_use()]
        return next(iter(told), None) if all(told) else None

    async def close(self) -> None:
        """Ask no more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        while time.monotonic() - self._wanted_at < WATCHED_S:
            await asyncio.sleep(WATCH_EVERY_S)
            await self._ask(0.0)

    async def _ask(self, known_s: float) -> None:
        """Ask those that were not asked in so many seconds."""
        now = time.monotonic()
        await asyncio.gather(*(r.ask_load(TIMEOUT_S) for r in self._in_use() if now - r.asked_at > known_s))

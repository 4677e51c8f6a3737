"""A bounded number of places for work of many callers, such as organizations, which take turns."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager, suppress
from typing import Generic, TypeVar

C = TypeVar("C", bound=Hashable)


class FairSlots(Generic[C]):
    """Places for expensive work. Each free one goes to the caller that waits longest for its turn.

    A caller never holds all places of several, so that work of one that does not end holds nobody up.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._most = max(1, places - 1)
        self._held: Counter[C] = Counter()
        # In the order of their turns; a caller that is served goes to the end.
        self._waiting: dict[C, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def place(self, caller: C, patience_s: float | None = None) -> AsyncIterator[None]:
        """Wait for a place and hold it in this context.

        Args:
            patience_s: how long to wait at most, seconds.

        Raises TimeoutError after that.
        """
        async with asyncio.timeout(patience_s):
            await self._take(caller)
        try:
            yield
        finally:
            self._leave(caller)

    async def _take(self, caller: C) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._waiting.setdefault(caller, deque())
        queue.append(turn)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(caller)
            else:
                self._forget(caller, turn)
            raise

    def _forget(self, caller: C, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(caller, deque())
        with suppress(ValueError):  # `_serve` met it first
            queue.remove(turn)
            if not queue:
                del self._waiting[caller]

    def _leave(self, caller: C) -> None:
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        self._free += 1
        self._serve()

    def _serve(self) -> None:
        """Give free places to those whose turn it is."""
        while self._free and (served := self._next()):
            (next_one,) = served
            queue = self._waiting[next_one]
            turn = queue.popleft()
            if turn.cancelled():
                # Whoever waited is cancelled, and has not run since.
                if not queue:
                    del self._waiting[next_one]
                continue
            del self._waiting[next_one]
            if queue:
                self._waiting[next_one] = queue
            self._held[next_one] += 1
            self._free -= 1
            turn.set_result(None)

    def _next(self) -> tuple[C] | None:
        return next(((one,) for one in self._waiting if self._held[one] < self._most), None)

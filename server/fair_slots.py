"""A bounded number of places for work of many organizations, which take turns."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID


class FairSlots:
    """Places for expensive work. Each free one goes to the organization that waits longest for its turn.

    An organization never holds all places of several, so that work of one that does not end holds nobody up.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._most = max(1, places - 1)
        self._held: Counter[UUID] = Counter()
        # In the order of their turns; an organization that is served goes to the end.
        self._waiting: dict[UUID, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def place(self, organization_id: UUID, patience_s: float | None = None) -> AsyncIterator[None]:
        """Wait for a place and hold it in this context.

        Args:
            patience_s: how long to wait at most, seconds.

        Raises TimeoutError after that.
        """
        async with asyncio.timeout(patience_s):
            await self._take(organization_id)
        try:
            yield
        finally:
            self._leave(organization_id)

    async def _take(self, organization_id: UUID) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._waiting.setdefault(organization_id, deque())
        queue.append(turn)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(organization_id)
            else:
                self._forget(organization_id, turn)
            raise

    def _forget(self, organization_id: UUID, turn: asyncio.Future[None]) -> None:
        queue = self._waiting[organization_id]
        queue.remove(turn)
        if not queue:
            del self._waiting[organization_id]

    def _leave(self, organization_id: UUID) -> None:
        self._held[organization_id] -= 1
        if not self._held[organization_id]:
            del self._held[organization_id]
        self._free += 1
        self._serve()

    def _serve(self) -> None:
        """Give free places to those whose turn it is."""
        while self._free and (next_one := self._next()) is not None:
            queue = self._waiting.pop(next_one)
            turn = queue.popleft()
            if queue:
                self._waiting[next_one] = queue
            self._held[next_one] += 1
            self._free -= 1
            turn.set_result(None)

    def _next(self) -> UUID | None:
        return next((one for one in self._waiting if self._held[one] < self._most), None)

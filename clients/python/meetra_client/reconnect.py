"""When to try again, and when to give up."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from meetra_client.errors import ConnectionLost, Unreachable

MIN_S, MAX_S = 0.1, 10.0


class Backoff:
    """Waits longer after each failure in a row, by a random part so that many clients do not come back as one.

    Args:
        patience_s: how long failures may follow one another before the client gives up, seconds.
        shortest_s, longest_s: bounds of one wait, seconds.
        now: a clock, seconds.
    """

    def __init__(
        self,
        patience_s: float,
        shortest_s: float = MIN_S,
        longest_s: float = MAX_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience_s, self._shortest_s, self._longest_s, self._now = patience_s, shortest_s, longest_s, now
        self._failures = 0
        self._first_failure = 0.0

    def progressed(self, patience_s: float | None = None) -> None:
        """The connection was of use: the next failure is a first one. ``patience_s``: the patience from now on."""
        self._failures = 0
        if patience_s is not None:
            self._patience_s = patience_s

    def next_wait_s(self, lost: ConnectionLost) -> float:
        """How long to wait after this failure, and no shorter than the server asks, seconds.

        Raises Unreachable when patience is over.
        """
        now = self._now()
        if not self._failures:
            self._first_failure = now
        elif now - self._first_failure >= self._patience_s:
            code = lost.error.code if lost.error is not None else None
            raise Unreachable(f"no connection for {now - self._first_failure:.0f} s: {lost}", code) from lost.error
        longest = min(self._longest_s, self._shortest_s * 2 ** min(self._failures, 20))
        self._failures += 1
        left = max(self._first_failure + self._patience_s - now, 0.0)
        wait_s = longest * random.uniform(0.5, 1.0)
        if lost.error is not None and lost.error.retry_after_s is not None:
            # What the server asks for; the random part spreads the clients that it asks.
            wait_s += max(lost.error.retry_after_s, 0.0)
        return float(min(wait_s, left))

    async def wait(self, lost: ConnectionLost) -> None:
        """Waits. Raises Unreachable."""
        await asyncio.sleep(self.next_wait_s(lost))

"""Reconnection policy: exponential backoff with jitter and a time limit."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from meetra_client.errors import ConnectionLost, Unreachable

MIN_S, MAX_S = 0.1, 10.0


class Backoff:
    """Exponential backoff, with jitter so that many clients do not return at once.

    Args:
        patience_s: duration of consecutive failures after which to give up, seconds.
        min_wait_s, max_wait_s: bounds of one wait, seconds.
        clock: a clock, seconds.
    """

    def __init__(
        self,
        patience_s: float,
        min_wait_s: float = MIN_S,
        max_wait_s: float = MAX_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience_s, self._min_wait_s, self._max_wait_s, self._clock = patience_s, min_wait_s, max_wait_s, clock
        self._failures = 0
        self._first_failure = 0.0

    def reset(self, patience_s: float | None = None) -> None:
        """Reset the failures after useful work; ``patience_s`` replaces the patience if given."""
        self._failures = 0
        if patience_s is not None:
            self._patience_s = patience_s

    def next_wait_s(self, lost: ConnectionLost) -> float:
        """Count a failure and return how long to wait, seconds; at least what the server asks, within the patience.

        Raises Unreachable when the patience is exhausted.
        """
        now = self._clock()
        if not self._failures:
            self._first_failure = now
        elif now - self._first_failure >= self._patience_s:
            code = lost.error.code if lost.error is not None else None
            raise Unreachable(f"no connection for {now - self._first_failure:.0f} s: {lost}", code) from lost.error
        wait_limit_s = min(self._max_wait_s, self._min_wait_s * 2 ** min(self._failures, 20))
        self._failures += 1
        remaining_s = max(self._first_failure + self._patience_s - now, 0.0)
        wait_s = wait_limit_s * random.uniform(0.5, 1.0)
        if lost.error is not None and lost.error.retry_after_s is not None:
            # The server's delay, plus jitter to spread its clients.
            wait_s += max(lost.error.retry_after_s, 0.0)
        return float(min(wait_s, remaining_s))

    async def wait(self, lost: ConnectionLost) -> None:
        """Wait as ``next_wait_s`` says. Raises Unreachable."""
        await asyncio.sleep(self.next_wait_s(lost))

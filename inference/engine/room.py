"""Whether an engine has room for bulk work: a core that no other work wants."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable

# Between two items of a session's work lies less than this, seconds.
ACTIVE_S = 1.0


class Room:
    """What the queues of one engine know together: which calls run, and whether there is other work than bulk work.

    Args:
        cores: number of model calls that run at once without slowing each other down; None: processors of this process.
        clock: seconds.
    """

    def __init__(self, cores: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._cores, self._clock = cores or _processors(), clock
        self._running = 0
        # Items of other work that are not done, and when the last one was.
        self._items, self._last_done = 0, float("-inf")
        self._waiting: dict[Hashable, Callable[[], None]] = {}

    def submitted(self) -> None:
        """Count an item of work that is no bulk work."""
        self._items += 1

    def done(self) -> None:
        """Count it no more: it is done, or was given up."""
        self._items -= 1
        self._last_done = self._clock()

    def begin_call(self) -> None:
        """Count a model call as running."""
        self._running += 1

    def end_call(self) -> None:
        """Count it no more, and tell the queues that waited for room."""
        self._running -= 1
        waiting, self._waiting = self._waiting, {}
        for tell in waiting.values():
            tell()

    def is_there(self) -> bool:
        """Return whether bulk work may begin: a core is free, or there has been no other work for ACTIVE_S."""
        alone = not self._items and self._clock() - self._last_done >= ACTIVE_S
        return alone or self._running < self._cores

    def tell(self, name: Hashable, tell: Callable[[], None]) -> None:
        """Call ``tell`` once, when a call has ended; the last one of each name."""
        self._waiting[name] = tell


def _processors() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1

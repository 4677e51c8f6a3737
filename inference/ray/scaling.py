"""How many inference servers there should be, from how much those there are have to do."""

from __future__ import annotations

from collections.abc import Sequence

from inference.ray.config import RaySettings
from inference.ray.progress import Load


class Scaling:
    """Decide when one more is needed, and when one fewer is enough.

    One at a time: the next decision is made when the last one has taken effect. What makes it grow differs from what
    makes it shrink, and shrinking waits, so that a number of sessions near a bound does not start and end servers.
    """

    def __init__(self, settings: RaySettings) -> None:
        self._settings = settings
        self._enough_since: float | None = None

    def wanted(self, now: float, loads: Sequence[Load | None]) -> int:
        """Return how many there should be.

        Args:
            now: seconds of a clock that does not jump.
            loads: of each that takes sessions or is starting, None for one that is starting or does not answer.
        """
        count, limits = len(loads), self._settings
        if not limits.min_replicas <= count <= limits.max_replicas:
            return min(max(count, limits.min_replicas), limits.max_replicas)
        known = [load for load in loads if load is not None]
        if len(known) < count:
            self._enough_since = None
            return count
        sessions, room = sum(load.sessions for load in known), sum(load.limit for load in known)
        wait_s = max(load.wait_s for load in known)
        if sessions > limits.grow_share * room or wait_s > limits.grow_wait_s:
            self._enough_since = None
            return min(count + 1, limits.max_replicas)
        rest = room - max(load.limit for load in known)
        if count == limits.min_replicas or sessions > limits.shrink_share * rest or wait_s > limits.grow_wait_s / 2:
            self._enough_since = None
            return count
        if self._enough_since is None:
            self._enough_since = now
        if now - self._enough_since < limits.shrink_after_s:
            return count
        self._enough_since = None
        return count - 1

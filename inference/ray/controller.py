"""Keep as many inference servers on the cluster as are needed, and know which of them take sessions."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from inference.ray.ray_cluster import RayCluster
from inference.ray.replica_watch import ReplicaWatch
from inference.ray.scaling import Scaling

# How often their number is decided anew, seconds.
DECIDE_EVERY_S = 1.0
# One that is to end is left for so many seconds at least: clients that asked the directory before may open sessions.
DRAIN_S = 15.0
log = logging.getLogger(__name__)


class Controller:
    """The inference servers of the cluster, by number."""

    def __init__(self, cluster: RayCluster, scaling: Scaling, watch: Callable[[int], ReplicaWatch]) -> None:
        """
        Args:
            watch: begins to look after the one of a number, which is started if it does not run.
        """
        self._cluster, self._scaling, self._watch = cluster, scaling, watch
        self._watches: dict[int, ReplicaWatch] = {}

    def addresses(self) -> list[str]:
        """Return the addresses of those that take new sessions, in a fixed order."""
        return sorted(watch.address for watch in self._active() if watch.address)

    def metrics(self) -> dict[int, str]:
        """Return where each serves its metrics, by number, those that are about to end too. Safe in any thread."""
        return {watch.number: watch.metrics for watch in list(self._watches.values()) if watch.metrics}

    async def run(self, stop: asyncio.Event) -> None:
        """Keep them until ``stop``; then they go on. Raises ClusterUnavailable where the cluster does not answer."""
        for number in await self._cluster.running():
            self._watches[number] = self._watch(number)
        try:
            while not stop.is_set():
                for watch in self._watches.values():
                    watch.check()
                self._decide()
                await self._end_empty()
                with suppress(TimeoutError):
                    async with asyncio.timeout(DECIDE_EVERY_S):
                        await stop.wait()
        finally:
            await asyncio.gather(*(watch.leave() for watch in self._watches.values()))

    def _active(self) -> list[ReplicaWatch]:
        return [watch for watch in self._watches.values() if watch.draining_since is None]

    def _decide(self) -> None:
        """Start one more, or have one end, where that is needed; up to the least number all at once."""
        active = self._active()
        wanted = self._scaling.wanted(time.monotonic(), [watch.load for watch in active])
        for _ in range(wanted - len(active)):
            self._start_one()
        for _ in range(len(active) - wanted):
            self._drain_one()

    def _start_one(self) -> None:
        draining = [watch for watch in self._watches.values() if watch.draining_since is not None]
        if draining:
            back = max(draining, key=lambda watch: watch.load.sessions if watch.load else 0)
            back.draining_since = None
            log.info("replica %d takes sessions again", back.number)
            return
        number = next(number for number in range(len(self._watches) + 1) if number not in self._watches)
        log.info("replica %d is started", number)
        self._watches[number] = self._watch(number)

    def _drain_one(self) -> None:
        # One that does not run loses nothing.
        least = min(self._active(), key=lambda watch: (watch.load.sessions if watch.load else -1, -watch.number))
        log.info("replica %d takes no new sessions, and ends once it is empty", least.number)
        least.draining_since = time.monotonic()

    async def _end_empty(self) -> None:
        for watch in list(self._watches.values()):
            since = watch.draining_since
            if since is None or time.monotonic() - since < DRAIN_S:
                continue
            # One on a node that is not reached may have sessions.
            if watch.load.sessions if watch.load else watch.placed:
                continue
            log.info("replica %d is empty: it ends", watch.number)
            if await watch.end():
                del self._watches[watch.number]

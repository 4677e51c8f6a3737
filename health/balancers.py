"""Load balancers that ask a process for its health, and send it no more calls once they were told that it stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

# Who asked twice within this time, by one connection, asks all the time.
RECENT_S = 5.0
# A balancer that asks no more is not waited for longer than this.
PATIENCE_S = 5.0
# What a balancer sent before it took its answer in has come by then.
QUIET_S = 0.5
POLL_S = 0.05
MAX_PEERS = 256


@dataclass(slots=True)
class _Asker:
    before: float
    last: float
    serving: bool


class Balancers:
    """Those who ask again and again by one connection whether the process is ready, and what they were told last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # By address, those who asked longest ago first.
        self._askers: dict[str, _Asker] = {}

    def told(self, peer: str, serving: bool) -> None:
        """Note that ``peer`` asked now, and the answer."""
        now = self._clock()
        known = self._askers.pop(peer, None)
        self._askers[peer] = _Asker(known.last if known else float("-inf"), now, serving)
        while len(self._askers) > MAX_PEERS:
            del self._askers[next(iter(self._askers))]

    async def leave(self, last_call_at: Callable[[], float]) -> None:
        """Wait until all have been told that the process does not serve, and calls have ceased, PATIENCE_S at most.

        Without a balancer there is nothing to wait for.

        Args:
            last_call_at: when the last call began, by the same clock.
        """
        began = self._clock()
        waited_for = [peer for peer, asker in self._askers.items() if asker.before > began - RECENT_S]
        if not waited_for:
            return
        while (now := self._clock()) < began + PATIENCE_S:
            # Many who ask meanwhile may have displaced one: then nothing more is known of it.
            askers = [asker for peer in waited_for if (asker := self._askers.get(peer)) is not None]
            ceased_at = max([asker.last for asker in askers], default=began)
            if not any(asker.serving for asker in askers) and now - max(ceased_at, last_call_at()) >= QUIET_S:
                return
            await asyncio.sleep(POLL_S)

"""Which words of a live meeting are told for the first time.

Words are told provisionally first, and once more for good: with other texts and times, at the same place.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from meetra.v1 import live_pb2 as pb


class FirstWords:
    """The places of one track at which words were told, milliseconds."""

    def __init__(self) -> None:
        # Stretches apart from one another, in the order of time.
        self._starts: list[int] = []
        self._ends: list[int] = []

    def take(self, words: Sequence[pb.LiveWord]) -> list[pb.LiveWord]:
        """Those of a turn's words, in the order of time, that stand where none was told before."""
        fresh = [word for word in words if not self._holds((word.start_ms + word.end_ms) / 2)]
        if fresh:
            # What lies between two words was told too: the recogniser heard nothing there.
            self._add(words[0].start_ms, max(word.end_ms for word in words))
        return fresh

    def _holds(self, moment_ms: float) -> bool:
        place = bisect_right(self._starts, moment_ms) - 1
        return place >= 0 and moment_ms <= self._ends[place]

    def _add(self, start_ms: int, end_ms: int) -> None:
        first, last = bisect_left(self._ends, start_ms), bisect_right(self._starts, end_ms)
        if first < last:
            start_ms, end_ms = min(start_ms, self._starts[first]), max(end_ms, self._ends[last - 1])
        self._starts[first:last] = [start_ms]
        self._ends[first:last] = [end_ms]

"""Which words of a live meeting are emitted for the first time.

Words are emitted provisionally first, then finally: with other text and times, in the same span.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from meetra_client import Word


class FirstWords:
    """The spans of one track in which words were emitted, milliseconds."""

    def __init__(self) -> None:
        # Disjoint spans, by time.
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, words: Sequence[Word]) -> list[Word]:
        """Return a turn's words, by time, that lie where none was emitted before."""
        new = [word for word in words if not self._covers((word.start_ms + word.end_ms) / 2)]
        if new:
            # The time between two words counts too: the recogniser found no words there.
            self._add(words[0].start_ms, max(word.end_ms for word in words))
        return new

    def _covers(self, time_ms: float) -> bool:
        index = bisect_right(self._starts, time_ms) - 1
        return index >= 0 and time_ms <= self._ends[index]

    def _add(self, start_ms: int, end_ms: int) -> None:
        first, last = bisect_left(self._ends, start_ms), bisect_right(self._starts, end_ms)
        if first < last:
            start_ms, end_ms = min(start_ms, self._starts[first]), max(end_ms, self._ends[last - 1])
        self._starts[first:last] = [start_ms]
        self._ends[first:last] = [end_ms]

"""Streaming speech segmentation from the detector's probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SpeechRule:
    """What counts as speech. The defaults are measured (docs/accuracy.md)."""

    start_probability: float = 0.5
    """Probability at which speech begins: high enough that a silent room stays silent."""
    end_probability: float = 0.1
    """Probability below which speech may end: once begun, even faint speech counts. The detector's own 0.5 / 0.35 miss
    half as much speech again."""
    min_silence_s: float = 0.3
    """Time below ``end_probability`` that ends a segment."""
    min_speech_s: float = 0.1
    """Shorter segments are discarded."""
    lead_s: float = 0.1
    """A segment begins this long before the first window at ``start_probability``."""
    tail_s: float = 0.0
    """A segment ends this long after the last window at ``end_probability``: the detector reports ends late enough."""


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """A span of speech, ``lead_s`` included; seconds from the session's start."""

    start_s: float
    end_s: float


class SpeechSegmenter:
    """Segments windows by hysteresis: by default speech begins at 0.5 and ends after 0.3 s below 0.1."""

    def __init__(self, window_s: float, rule: SpeechRule = SpeechRule()) -> None:
        """``window_s``: length of the detector's windows, seconds."""
        self._window_s, self._rule = window_s, rule
        self._window = 0
        self._start: int | None = None
        self._last = 0

    @property
    def open_segment(self) -> SpeechSegment | None:
        """The ongoing segment as far as it is certain; None in silence."""
        return None if self._start is None else self._segment(self._start, self._last)

    def push(self, probabilities: NDArray[np.float32]) -> list[SpeechSegment]:
        """Process the next windows' probabilities, shape (n,); return the segments that end within them."""
        closed = []
        for probability in probabilities:
            if self._start is None:
                if probability >= self._rule.start_probability:
                    self._start = self._last = self._window
            elif probability >= self._rule.end_probability:
                self._last = self._window
            elif (self._window - self._last) * self._window_s >= self._rule.min_silence_s:
                closed += self._close()
            self._window += 1
        return closed

    def finish(self, duration_s: float) -> list[SpeechSegment]:
        """Return the segment still open, if long enough, clipped to ``duration_s``."""
        return [SpeechSegment(s.start_s, min(s.end_s, duration_s)) for s in self._close()]

    def _close(self) -> list[SpeechSegment]:
        start, self._start = self._start, None
        if start is None or (self._last + 1 - start) * self._window_s < self._rule.min_speech_s:
            return []
        return [self._segment(start, self._last)]

    def _segment(self, start: int, last: int) -> SpeechSegment:
        start_s = max(0.0, start * self._window_s - self._rule.lead_s)
        return SpeechSegment(start_s, (last + 1) * self._window_s + self._rule.tail_s)

"""From probabilities of speech to segments of speech, as the probabilities come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SpeechRule:
    """What counts as speech. The defaults are measured (docs/accuracy.md)."""

    on: float = 0.5
    """Probability at which speech begins: so high that a silent room stays silent."""
    off: float = 0.1
    """Probability under which it may end: once begun, even a faint rest of it counts. At the detector's own
    0.5 / 0.35 half as much speech again is missed."""
    min_silence_s: float = 0.3
    """It ends when so much time has passed under ``off``."""
    min_speech_s: float = 0.1
    """What is shorter is none."""
    lead_s: float = 0.1
    """It began so much before it was noticed."""
    tail_s: float = 0.0
    """It ends so much after the last window over ``off``: the detector notices an end late enough."""


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """A stretch of speech, begun 0.1 s before it was noticed; seconds from the session's start."""

    start_s: float
    end_s: float


class SpeechSegmenter:
    """Hysteresis over windows: speech begins at 0.5, ends after 0.3 s under 0.1."""

    def __init__(self, window_s: float, rule: SpeechRule = SpeechRule()) -> None:
        self._window_s, self._rule = window_s, rule
        self._window = 0
        self._start: int | None = None
        self._last = 0

    @property
    def open_segment(self) -> SpeechSegment | None:
        """The segment under way as far as it is certain; None in silence."""
        return None if self._start is None else self._segment(self._start, self._last)

    def push(self, probabilities: NDArray[np.float32]) -> list[SpeechSegment]:
        """The segments that end within these windows (shape (n,), in the order of time)."""
        closed = []
        for probability in probabilities:
            if self._start is None:
                if probability >= self._rule.on:
                    self._start = self._last = self._window
            elif probability >= self._rule.off:
                self._last = self._window
            elif (self._window - self._last) * self._window_s >= self._rule.min_silence_s:
                closed += self._close()
            self._window += 1
        return closed

    def finish(self, duration_s: float) -> list[SpeechSegment]:
        """The segment still open at the end, if any; none reaches beyond ``duration_s``."""
        return [SpeechSegment(s.start_s, min(s.end_s, duration_s)) for s in self._close()]

    def _close(self) -> list[SpeechSegment]:
        start, self._start = self._start, None
        if start is None or (self._last + 1 - start) * self._window_s < self._rule.min_speech_s:
            return []
        return [self._segment(start, self._last)]

    def _segment(self, start: int, last: int) -> SpeechSegment:
        start_s = max(0.0, start * self._window_s - self._rule.lead_s)
        return SpeechSegment(start_s, (last + 1) * self._window_s + self._rule.tail_s)

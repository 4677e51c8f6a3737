"""From probabilities of speech to segments of speech, as the probabilities come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Measured on meetings: the detector's own 0.5 / 0.35 misses half as much speech again.
ON, OFF = 0.3, 0.15
MIN_SILENCE_S, MIN_SPEECH_S, PAD_S = 0.3, 0.1, 0.05


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """A stretch of speech, padded by 0.05 s on both sides; seconds from the session's start."""

    start_s: float
    end_s: float


class SpeechSegmenter:
    """Hysteresis over windows: speech begins at 0.3, ends after 0.3 s under 0.15."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
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
                if probability >= ON:
                    self._start = self._last = self._window
            elif probability >= OFF:
                self._last = self._window
            elif (self._window - self._last) * self._window_s >= MIN_SILENCE_S:
                closed += self._close()
            self._window += 1
        return closed

    def finish(self, duration_s: float) -> list[SpeechSegment]:
        """The segment still open at the end, if any; none reaches beyond ``duration_s``."""
        return [SpeechSegment(s.start_s, min(s.end_s, duration_s)) for s in self._close()]

    def _close(self) -> list[SpeechSegment]:
        start, self._start = self._start, None
        if start is None or (self._last + 1 - start) * self._window_s < MIN_SPEECH_S:
            return []
        return [self._segment(start, self._last)]

    def _segment(self, start: int, last: int) -> SpeechSegment:
        return SpeechSegment(max(0.0, start * self._window_s - PAD_S), (last + 1) * self._window_s + PAD_S)

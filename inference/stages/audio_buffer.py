"""The span of a session's audio that is still needed."""

from __future__ import annotations

import numpy as np

from inference.models import SAMPLE_RATE_HZ, Samples


class AudioBuffer:
    """Samples indexed from the session's start; dropped when no longer needed."""

    def __init__(self) -> None:
        self._first = 0
        self._samples: Samples = np.zeros(0, np.float32)

    @property
    def end(self) -> int:
        """Number of samples received so far."""
        return self._first + len(self._samples)

    def append(self, samples: Samples) -> None:
        """Append samples, float32 of shape (n,)."""
        self._samples = np.concatenate([self._samples, samples])

    def span(self, start: int, end: int) -> Samples:
        """Return samples start..end, clipped to what was received. Raises ValueError for dropped samples."""
        start = max(0, start)
        if start < self._first:
            raise ValueError(f"sample {start} was dropped; the buffer begins at {self._first}")
        return self._samples[start - self._first : max(0, end - self._first)]

    def span_s(self, start_s: float, end_s: float) -> Samples:
        """Return the samples between two times, seconds; see ``span``."""
        return self.span(int(max(0.0, start_s) * SAMPLE_RATE_HZ), int(end_s * SAMPLE_RATE_HZ))

    def drop_before(self, sample: int) -> None:
        """Drop everything before ``sample``, at most what was received."""
        sample = min(sample, self.end)
        if sample > self._first:
            self._samples = self._samples[sample - self._first :].copy()
            self._first = sample

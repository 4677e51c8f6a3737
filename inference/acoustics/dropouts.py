"""Lost packets: exact zeros that cut into sound."""

from __future__ import annotations

import numpy as np

from inference.models import SAMPLE_RATE_HZ, Samples
from inference.true_runs import true_runs

MIN_SAMPLES = SAMPLE_RATE_HZ // 100
MAX_SAMPLES = SAMPLE_RATE_HZ * 4 // 10
# Sound of this length and level right before and right after a gap was cut off and did not fade.
EDGE_SAMPLES = SAMPLE_RATE_HZ // 200
LOUD_EDGE = 10 ** (-45 / 20)


class DropoutDetector:
    """Gaps of one session. A gated pause fades out; a lost packet does not."""

    def __init__(self) -> None:
        self.gaps: list[tuple[float, float]] = []
        """Start and end of each gap, seconds from the session's start."""
        self._position = 0
        self._tail: Samples = np.zeros(0, np.float32)  # audio in which a gap may still end

    def push(self, samples: Samples) -> None:
        """Process the next samples, shape (n,)."""
        signal = np.concatenate([self._tail, samples])
        begin = self._position - len(self._tail)
        self._position += len(samples)
        starts, ends = true_runs(signal == 0).T
        in_range = (ends - starts >= MIN_SAMPLES) & (ends - starts <= MAX_SAMPLES)
        settled = max(0, len(signal) - MAX_SAMPLES - 2 * EDGE_SAMPLES)
        for start, end in zip(starts[in_range], ends[in_range], strict=True):
            has_edges = start >= EDGE_SAMPLES and end + EDGE_SAMPLES <= len(signal)
            if has_edges and _loud(signal[start - EDGE_SAMPLES : start]) and _loud(signal[end : end + EDGE_SAMPLES]):
                self._record((begin + start) / SAMPLE_RATE_HZ, (begin + end) / SAMPLE_RATE_HZ)
        self._tail = signal[settled:].copy()

    def _record(self, start_s: float, end_s: float) -> None:
        # The tail is processed twice, so a gap within it is found again.
        if not self.gaps or start_s > self.gaps[-1][0]:
            self.gaps.append((start_s, end_s))


def _loud(edge: Samples) -> bool:
    return bool(np.sqrt(np.mean(np.square(edge))) >= LOUD_EDGE)

"""Music beside speech: notes hold their pitch, voices glide and noise has none.

The spectrum's fine structure (each bin relative to its neighbourhood) is compared with itself 128 ms later: held notes
keep their peaks in place. After the peak continuity of Hawley, "Structure out of Sound", MIT 1993, and Scheirer and
Slaney, ICASSP 1997.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, Samples

BLOCK_SAMPLES = SAMPLE_RATE_HZ
WINDOW_SAMPLES = 2048
HOP_SAMPLES = 1024
LAG_HOPS = 2
# Bins of 100 to 3000 Hz.
FIRST_BIN, LAST_BIN = 13, 384
NEIGHBOURHOOD_BINS = 15
_WINDOW = np.hanning(WINDOW_SAMPLES).astype(np.float32)


def continuity(samples: Samples) -> float:
    """Return how far spectral peaks stay in place over a block, shape (n,): about 0 (noise) .. 1 (held notes)."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW_SAMPLES)[::HOP_SAMPLES]
    spectrum = np.log(np.abs(np.fft.rfft(windows * _WINDOW, axis=1))[:, FIRST_BIN:LAST_BIN] + 1e-6)
    kernel = np.ones(NEIGHBOURHOOD_BINS) / NEIGHBOURHOOD_BINS
    smooth = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), 1, spectrum)
    peaks = np.maximum(0, spectrum - smooth - 0.5)
    peaks /= np.linalg.norm(peaks, axis=1, keepdims=True) + 1e-6
    return float(np.mean(np.sum(peaks[:-LAG_HOPS] * peaks[LAG_HOPS:], axis=1)))


class MusicDetector:
    """Peak continuity of each whole second of a session."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.float32)
        self._values: list[float] = []

    def push(self, samples: Samples) -> None:
        """Process the next samples, shape (n,)."""
        signal = np.concatenate([self._rest, samples])
        complete = len(signal) // BLOCK_SAMPLES * BLOCK_SAMPLES
        self._values += [continuity(block) for block in signal[:complete].reshape(-1, BLOCK_SAMPLES)]
        self._rest = signal[complete:].copy()

    @property
    def continuity(self) -> NDArray[np.float32]:
        """One value for each second, shape (seconds,)."""
        return np.asarray(self._values, np.float32)

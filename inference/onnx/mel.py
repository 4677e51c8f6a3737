"""Mel spectra as the GE2E encoder was trained on: librosa's, with Slaney's scale and norm.

Source: M. Slaney, Auditory Toolbox, Interval Research TR 1998-010.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, Samples

FRAME_SAMPLES = 400
HOP_SAMPLES = 160
BANDS = 40
# Slaney's scale: linear under 1 kHz, 27 logarithmic steps to 6.4 kHz above.
_LINEAR_HZ = 200 / 3
_BREAK_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27


def _hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithmic = _BREAK_HZ / _LINEAR_HZ + np.log(np.maximum(hz, 1e-9) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz >= _BREAK_HZ, logarithmic, hz / _LINEAR_HZ)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    break_mel = _BREAK_HZ / _LINEAR_HZ
    return np.where(mel >= break_mel, _BREAK_HZ * np.exp(_LOG_STEP * (mel - break_mel)), mel * _LINEAR_HZ)


def slaney_filters(bands: int, n_fft: int) -> NDArray[np.float32]:
    """Triangular filters of shape (bands, n_fft // 2 + 1) up to 8 kHz, each of unit area."""
    bins = np.linspace(0, SAMPLE_RATE_HZ / 2, n_fft // 2 + 1)
    edges_mel = _hz_to_mel(np.array([0.0, SAMPLE_RATE_HZ / 2]))
    edges = _mel_to_hz(np.linspace(edges_mel[0], edges_mel[1], bands + 2))
    widths = np.diff(edges)
    ramps = edges[:, None] - bins[None]
    triangles = np.maximum(0, np.minimum(-ramps[:-2] / widths[:-1, None], ramps[2:] / widths[1:, None]))
    return np.asarray(triangles * (2 / (edges[2:] - edges[:-2]))[:, None], np.float32)


class MelSpectrum:
    """Power mel spectra, 25 ms frames every 10 ms, centred, zeros beyond the ends."""

    def __init__(self) -> None:
        self._filters = np.ascontiguousarray(slaney_filters(BANDS, FRAME_SAMPLES).T)
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES)).astype(np.float32)

    def __call__(self, samples: Samples) -> NDArray[np.float32]:
        """Shape (frames, 40), frames = 1 + n // 160; power, not logarithmic. At least one sample is needed."""
        padded = np.pad(samples, FRAME_SAMPLES // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)[::HOP_SAMPLES]
        power = np.abs(np.fft.rfft(frames * self._window, axis=1)) ** 2
        return np.asarray(power @ self._filters, np.float32)

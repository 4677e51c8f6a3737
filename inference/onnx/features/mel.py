"""Mel filters equal to librosa's, with Slaney's scale and norm.

Source: M. Slaney, Auditory Toolbox, Interval Research TR 1998-010.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ

# Slaney's scale: linear below 1 kHz, above it 27 logarithmic steps to 6.4 kHz.
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
    """Return triangular filters, shape (bands, n_fft // 2 + 1), up to 8 kHz, each of unit area."""
    bins = np.linspace(0, SAMPLE_RATE_HZ / 2, n_fft // 2 + 1)
    edges_mel = _hz_to_mel(np.array([0.0, SAMPLE_RATE_HZ / 2]))
    edges = _mel_to_hz(np.linspace(edges_mel[0], edges_mel[1], bands + 2))
    widths = np.diff(edges)
    ramps = edges[:, None] - bins[None]
    triangles = np.maximum(0, np.minimum(-ramps[:-2] / widths[:-1, None], ramps[2:] / widths[1:, None]))
    return np.asarray(triangles * (2 / (edges[2:] - edges[:-2]))[:, None], np.float32)

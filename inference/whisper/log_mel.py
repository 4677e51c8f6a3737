"""Whisper's spectra, in NumPy.

Source: A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022, section 2.2, and
``log_mel_spectrogram`` of its published code, to which these are equal (checked to 1e-5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.models import Samples
from inference.onnx.features import slaney_filters

FRAME_SAMPLES = 400
HOP_SAMPLES = 160
# Only the loudest 80 dB of a window are kept.
DYNAMIC_RANGE = 8.0
MIN_POWER = 1e-10


class WhisperSpectrum:
    """Computes log-mel spectra, 25 ms frames every 10 ms, scaled as in the model's training."""

    def __init__(self, bands: int) -> None:
        self._filters = np.ascontiguousarray(slaney_filters(bands, FRAME_SAMPLES).T)
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES)).astype(np.float32)

    def __call__(self, samples: Samples, frames: int) -> NDArray[np.float32]:
        """Return spectra, shape (bands, frames), of samples, shape (n,), padded with silence or cut to fit."""
        signal = np.zeros(frames * HOP_SAMPLES, np.float32)
        count = min(len(samples), len(signal))
        signal[:count] = samples[:count]
        padded = np.pad(signal, FRAME_SAMPLES // 2, mode="reflect")
        cut = np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)[::HOP_SAMPLES][:frames]
        power = np.abs(np.fft.rfft(cut * self._window, axis=1)).astype(np.float32) ** 2
        logarithmic = np.log10(np.maximum(power @ self._filters, MIN_POWER))
        levelled = np.maximum(logarithmic, logarithmic.max() - DYNAMIC_RANGE)
        return np.ascontiguousarray((levelled.T + 4) / 4, np.float32)

"""Log-mel spectra in NumPy, numerically equal to NeMo's ``AudioToMelSpectrogramPreprocessor``.

Filters: M. Slaney, Auditory Toolbox, Interval Research TR 1998-010, each of unit area (as librosa's).
"""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from inference.models import Samples
from inference.onnx.features.mel import slaney_filters

# NeMo adds it to each band's deviation before dividing.
_MIN_DEVIATION = 1e-5


class LogMelSettings(BaseModel):
    """Settings of a model's spectra; lengths in samples at 16 kHz."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bands: int = Field(80, ge=1, le=512)
    n_fft: int = Field(512, ge=16, le=8192)
    window_samples: int = Field(400, ge=16, le=8192)
    hop_samples: int = Field(160, ge=1, le=8192)
    window: Literal["hann", "hamming"] = "hann"
    """Symmetric, centred in ``n_fft``."""
    normalise: Literal["per_feature", "none"] = "per_feature"
    """``per_feature``: each band has mean 0 and deviation 1 over the audio given."""
    log_guard: float = Field(2.0**-24, gt=0, le=1)
    """Added before the logarithm."""
    preemphasis: float = Field(0.97, ge=0, lt=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.window_samples > self.n_fft:
            raise ValueError("window_samples must not exceed n_fft")
        return self


class LogMel:
    """Computes spectra from samples. Stateless."""

    def __init__(self, settings: LogMelSettings) -> None:
        self.settings = settings
        count = settings.window_samples
        shape = np.hanning(count) if settings.window == "hann" else np.hamming(count)
        before = (settings.n_fft - count) // 2
        self._window = np.pad(shape, (before, settings.n_fft - count - before)).astype(np.float32)
        self._filters = np.ascontiguousarray(slaney_filters(settings.bands, settings.n_fft).T)

    def frames(self, samples: int) -> int:
        """Return the number of frames of so many samples."""
        return samples // self.settings.hop_samples

    def __call__(self, samples: Samples) -> NDArray[np.float32]:
        """Return spectra, shape (bands, n // hop_samples), of samples, shape (n,).

        Frames are centred on multiples of the hop, with zeros beyond the ends. Raises ValueError for n < 2 *
        hop_samples.
        """
        settings = self.settings
        if len(samples) < 2 * settings.hop_samples:
            raise ValueError(f"{len(samples)} samples are less than two hops of {settings.hop_samples}")
        sharpened = np.asarray(samples, np.float32)
        if settings.preemphasis:
            sharpened = np.concatenate([samples[:1], samples[1:] - np.float32(settings.preemphasis) * samples[:-1]])
        padded = np.pad(sharpened, settings.n_fft // 2)
        cut = np.lib.stride_tricks.sliding_window_view(padded, settings.n_fft)[:: settings.hop_samples]
        cut = cut[: self.frames(len(samples))]
        power = (np.abs(np.fft.rfft(cut * self._window, axis=1)) ** 2).astype(np.float32)
        logarithmic = np.log(power @ self._filters + np.float32(settings.log_guard))
        if settings.normalise == "per_feature":
            deviation = logarithmic.std(axis=0, ddof=1, dtype=np.float64) + _MIN_DEVIATION
            logarithmic = (logarithmic - logarithmic.mean(axis=0, dtype=np.float64)) / deviation
        return np.ascontiguousarray(logarithmic.T, np.float32)

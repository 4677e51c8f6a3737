"""The spectra of Kaldi, which speaker encoders of WeSpeaker and 3D-Speaker take, by kaldi-native-fbank."""

from __future__ import annotations

import kaldi_native_fbank
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from inference.models import SAMPLE_RATE_HZ, Samples

FRAME_SAMPLES, HOP_SAMPLES = 400, 160


class KaldiSettings(BaseModel):
    """How a model wants its spectra."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bands: int = Field(80, ge=1, le=128)
    int16_range: bool = False
    """Whether the model knows samples of -32768..32767, as WeSpeaker's do, or of -1..1: near silence they differ."""


class KaldiSpectra:
    """Logarithmic mel spectra without dither, each band less its mean over the audio given; it keeps no state."""

    def __init__(self, settings: KaldiSettings) -> None:
        self.settings = settings
        self._options = kaldi_native_fbank.FbankOptions()
        self._options.frame_opts.dither = 0
        self._options.frame_opts.samp_freq = SAMPLE_RATE_HZ
        self._options.mel_opts.num_bins = settings.bands

    def __call__(self, samples: Samples) -> NDArray[np.float32]:
        """Shape (frames, bands), 25 ms every 10 ms, frames = 1 + (n - 400) // 160, of shape (n,), n >= 400."""
        scale = np.float32(32768 if self.settings.int16_range else 1)
        bank = kaldi_native_fbank.OnlineFbank(self._options)
        bank.accept_waveform(SAMPLE_RATE_HZ, np.asarray(samples, np.float32) * scale)
        bank.input_finished()
        spectra = np.stack([bank.get_frame(frame) for frame in range(bank.num_frames_ready)])
        return np.asarray(spectra - spectra.mean(axis=0), np.float32)

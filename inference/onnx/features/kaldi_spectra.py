"""Kaldi's spectra by kaldi-native-fbank, for speaker encoders of WeSpeaker and 3D-Speaker."""

from __future__ import annotations

import kaldi_native_fbank
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from inference.models import SAMPLE_RATE_HZ, Samples

FRAME_SAMPLES, HOP_SAMPLES = 400, 160


class KaldiSettings(BaseModel):
    """Settings of a model's spectra."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bands: int = Field(80, ge=1, le=128)
    int16_range: bool = False
    """Whether the model expects samples of -32768..32767, as WeSpeaker's do, or -1..1: they differ near silence."""


class KaldiSpectra:
    """Computes log-mel spectra without dither, minus each band's mean over the audio given. Stateless."""

    def __init__(self, settings: KaldiSettings) -> None:
        self.settings = settings
        self._options = kaldi_native_fbank.FbankOptions()
        self._options.frame_opts.dither = 0
        self._options.frame_opts.samp_freq = SAMPLE_RATE_HZ
        self._options.mel_opts.num_bins = settings.bands

    def __call__(self, samples: Samples) -> NDArray[np.float32]:
        """Return spectra, shape (frames, bands), frames = 1 + (n - 400) // 160, of samples, shape (n,), n >= 400.

        Frames are 25 ms every 10 ms.
        """
        scale = np.float32(32768 if self.settings.int16_range else 1)
        bank = kaldi_native_fbank.OnlineFbank(self._options)
        bank.accept_waveform(SAMPLE_RATE_HZ, np.asarray(samples, np.float32) * scale)
        bank.input_finished()
        spectra = np.stack([bank.get_frame(frame) for frame in range(bank.num_frames_ready)])
        return np.asarray(spectra - spectra.mean(axis=0), np.float32)

"""Spectra as Kaldi computes them."""

from __future__ import annotations

import numpy as np
import pytest

from inference.onnx.features.kaldi_spectra import KaldiSettings, KaldiSpectra
from tests.recordings import speech


@pytest.mark.parametrize("int16_range", [False, True])
@pytest.mark.parametrize("seconds", [0.4, 1.507])
def test_kaldis_spectra_are_those_of_its_documents(seconds: float, int16_range: bool) -> None:
    """Steps of Kaldi's feature-window.cc and mel-computations.cc in NumPy."""
    pytest.importorskip("kaldi_native_fbank")
    samples = speech(2, seconds)
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), 400)[::160]
    frames = frames * (32768 if int16_range else 1)
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft((frames - 0.97 * before) * np.hanning(400) ** 0.85, 512, axis=1)) ** 2

    def mel(hz: np.ndarray) -> np.ndarray:
        return np.asarray(1127 * np.log1p(hz / 700))

    lowest, highest = mel(np.array([20.0, 8000.0]))
    edges = np.linspace(float(lowest), float(highest), 82)
    bins = mel(np.arange(257) * 16_000 / 512)[:, None]
    rising, falling = (bins - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - bins) / np.diff(edges)[1:]
    energy = power @ np.maximum(0, np.minimum(rising, falling))
    expected = np.log(np.maximum(energy, np.finfo(np.float32).eps))
    found = KaldiSpectra(KaldiSettings(int16_range=int16_range))(samples)
    np.testing.assert_allclose(found, expected - expected.mean(axis=0), atol=2e-3)

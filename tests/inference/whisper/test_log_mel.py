"""Whisper's spectra, by the plain formula."""

from __future__ import annotations

import numpy as np
import pytest

from inference.onnx.features.mel import slaney_filters
from inference.whisper.log_mel import FRAME_SAMPLES, HOP_SAMPLES, WhisperSpectrum
from tests.recordings import RATE_HZ, speech

BANDS = 80
SPECTRUM = WhisperSpectrum(BANDS)


def test_a_frame_is_what_the_formula_says() -> None:
    samples, frames = speech(1.0, 1.0), 100
    found = SPECTRUM(samples, frames)
    places = np.arange(FRAME_SAMPLES)
    hann = np.sin(np.pi * places / FRAME_SAMPLES) ** 2
    transform = np.exp(-2j * np.pi * np.outer(np.arange(FRAME_SAMPLES // 2 + 1), places) / FRAME_SAMPLES)
    powers = []
    for frame in range(2, 98):  # those that no edge is mirrored in
        middle = frame * HOP_SAMPLES
        cut = samples[middle - FRAME_SAMPLES // 2 : middle + FRAME_SAMPLES // 2].astype(np.float64)
        powers.append(slaney_filters(BANDS, FRAME_SAMPLES) @ np.abs(transform @ (cut * hann)) ** 2)
    wanted = np.log10(np.maximum(powers, 1e-10)).T
    # The loudest frame of all sets the floor: it may be at the edges.
    floor = found.max() * 4 - 4 - 8
    assert found.shape == (BANDS, frames)
    assert found[:, 2:98] == pytest.approx((np.maximum(wanted, floor) + 4) / 4, abs=1e-4)


def test_what_is_too_long_is_cut_and_what_is_missing_is_silence() -> None:
    samples = speech(1.0, 2.0)
    # But for the last frames, which reach over the end.
    assert np.array_equal(SPECTRUM(samples, 90)[:, :88], SPECTRUM(samples[: 90 * HOP_SAMPLES], 90)[:, :88])
    padded = SPECTRUM(samples[: RATE_HZ // 2], 100)
    filled = SPECTRUM(np.concatenate([samples[: RATE_HZ // 2], np.zeros(RATE_HZ // 2, np.float32)]), 100)
    assert np.array_equal(padded, filled)
    assert np.ptp(padded[:, 60:]) == 0, "silence is the floor"


def test_silence_and_loudness() -> None:
    assert SPECTRUM(np.zeros(RATE_HZ, np.float32), 100) == pytest.approx(np.full((BANDS, 100), (-10 + 4) / 4))
    samples = speech(1.0, 1.0)
    louder, softer = SPECTRUM(samples, 100), SPECTRUM(samples * np.float32(0.1), 100)
    assert np.ptp(louder) <= 2 + 1e-6, "80 dB are kept"
    assert louder - softer == pytest.approx(np.full((BANDS, 100), 0.5), abs=1e-3)


def test_a_tone_is_where_it_belongs() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    loudest = SPECTRUM(tone, 100).mean(axis=1).argmax()
    centres = slaney_filters(BANDS, FRAME_SAMPLES).argmax(axis=1) * RATE_HZ / FRAME_SAMPLES
    assert abs(centres[loudest] - 1000) <= 50

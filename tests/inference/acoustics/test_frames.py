"""How audio sounds: measured on signals whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from inference.acoustics.frames import SEMITONE_ZERO_HZ, FrameAnalyzer, clipped_samples
from inference.models import SAMPLE_RATE_HZ, Samples
from tests.inference.acoustics.signals import TIME, tone
from tests.recordings import sample_pcm


def track(samples: Samples, *cuts: int) -> FrameAnalyzer:
    frames = FrameAnalyzer()
    for piece in np.split(samples, cuts):
        frames.push(piece)
    frames.finish()
    return frames


@pytest.mark.parametrize("hertz", [80, 120, 210, 330])
def test_the_pitch_of_a_tone_is_its_pitch(hertz: float) -> None:
    pitch = track(tone(hertz)).pitch_semitones[5:-5]
    assert not np.isnan(pitch).any()
    assert np.median(pitch) == pytest.approx(12 * np.log2(hertz / SEMITONE_ZERO_HZ), abs=0.1)


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(0).standard_normal(len(TIME)).astype(np.float32) * 0.1
    assert np.isnan(track(noise).pitch_semitones).mean() > 0.95
    assert np.isnan(track(np.zeros_like(noise)).pitch_semitones).all()


def test_the_level_is_the_mean_power() -> None:
    sine: Samples = (0.5 * np.sin(2 * np.pi * 200 * TIME)).astype(np.float32)
    assert np.median(track(sine).level_dbfs) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.05)
    assert (track(np.zeros(16_000, np.float32)).level_dbfs == -100).all()


def test_frames_do_not_depend_on_how_the_audio_comes() -> None:
    audio = sample_pcm()[: 4 * SAMPLE_RATE_HZ].astype(np.float32) / np.float32(32768)
    whole, pieces = track(audio), track(audio, 7, 320, 1000, 33_333)
    for name in ("level_dbfs", "pitch_semitones", "clipped_share"):
        np.testing.assert_allclose(getattr(whole, name), getattr(pieces, name), atol=1e-4)


def test_only_runs_at_full_scale_are_clipping() -> None:
    audio = np.array([0, 1, 1, 0, -1, -1, -1, -1, 0, 1, 0.99, 1], np.float32)
    assert clipped_samples(audio).tolist() == [False] * 4 + [True] * 4 + [False] * 4

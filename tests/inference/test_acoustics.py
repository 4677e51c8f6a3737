"""How audio sounds: measured on signals whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.acoustics.decay import decay_rates
from inference.acoustics.dropouts import DropoutDetector
from inference.acoustics.frames import FRAME_S, SEMITONE_ZERO_HZ, FrameAnalyzer, clipped_samples
from inference.acoustics.music import MusicDetector, continuity
from inference.models import SAMPLE_RATE_HZ, Samples
from tests.recordings import sample_pcm

TIME = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ


def tone(hertz: float, amplitude: float = 0.5) -> Samples:
    """A harmonic tone of two seconds."""
    partials = np.stack([np.sin(2 * np.pi * k * hertz * TIME) / k for k in range(1, 6)])
    return np.asarray(amplitude * partials.sum(axis=0) / 1.5, np.float32)


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


@pytest.mark.parametrize("rate", [60.0, 120.0, 300.0])
def test_a_decay_is_as_fast_as_it_is(rate: float) -> None:
    frames = np.arange(30) * FRAME_S
    level: NDArray[np.float32] = np.concatenate([np.full(5, -10.0), -10 - rate * frames, np.full(5, -90.0)])
    found = decay_rates(np.maximum(level, -90).astype(np.float32), -95)
    assert found[0] == pytest.approx(rate, rel=0.15)


def gaps(samples: Samples, *cuts: int) -> list[tuple[float, float]]:
    found = DropoutDetector()
    for piece in np.split(samples, cuts):
        found.push(piece)
    return found.gaps


def test_a_lost_packet_is_found_wherever_the_audio_is_cut_and_a_pause_is_none() -> None:
    audio = tone(150)
    audio[16_000:16_320] = 0
    for cuts in ((), (16_100,), (15_900, 16_000, 16_320), (16_330, 16_500)):
        ((start, end),) = gaps(audio, *cuts)
        assert abs(start - 1.0) < 0.002
        assert abs(end - 1.02) < 0.002
    faded = tone(150) * np.clip((np.abs(TIME - 1) - 0.03) * 0.5, 0, 1).astype(np.float32)
    assert gaps(faded) == []
    long = tone(150)
    long[8_000:16_000] = 0
    assert gaps(long) == []


def test_held_notes_are_continuous_and_speech_and_noise_are_not() -> None:
    chord = np.stack([tone(f, 0.2) for f in (220, 277, 330)]).sum(axis=0)[:SAMPLE_RATE_HZ]
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ).astype(np.float32) * 0.1
    music = MusicDetector()
    music.push(np.asarray(sample_pcm() / 32768, np.float32))
    assert continuity(chord) > 0.6
    assert continuity(noise) < 0.3
    assert np.percentile(music.continuity, 95) < 0.5

"""Music, told apart from speech and noise."""

from __future__ import annotations

import numpy as np

from inference.acoustics.music import MusicDetector, continuity
from inference.models import SAMPLE_RATE_HZ
from tests.inference.acoustics.signals import tone
from tests.recordings import sample_pcm


def test_held_notes_are_continuous_and_speech_and_noise_are_not() -> None:
    chord = np.stack([tone(f, 0.2) for f in (220, 277, 330)]).sum(axis=0)[:SAMPLE_RATE_HZ]
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ).astype(np.float32) * 0.1
    music = MusicDetector()
    music.push(np.asarray(sample_pcm() / 32768, np.float32))
    assert continuity(chord) > 0.6
    assert continuity(noise) < 0.3
    assert np.percentile(music.continuity, 95) < 0.5

"""Dropouts: lost packets, told apart from pauses."""

from __future__ import annotations

import numpy as np

from inference.acoustics.dropouts import DropoutDetector
from inference.models import Samples
from tests.inference.acoustics.signals import TIME, tone


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

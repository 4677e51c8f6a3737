"""Whether windows are of several voices: told where that is sure, and never of one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.diarization.several_voices import MAX_WINDOWS, SeveralVoices, hold_several_voices
from tests.inference.diarization.known_voices import PROFILE, Vectors, unit

# Windows of 20 s of speech.
ENOUGH = round(20 / PROFILE.hop_s)


def windows(counts: list[int], *, alike: float, seed: int = 0) -> Vectors:
    """So many windows of each voice, one after the other; ``alike``: similarity of any two voices."""
    random = np.random.default_rng(seed)
    directions = np.linalg.qr(random.standard_normal((PROFILE.dimension, len(counts) + 1)))[0].T
    labels = np.repeat(np.arange(len(counts)), counts)
    voices = np.sqrt(alike) * directions[0] + np.sqrt(1 - alike) * directions[labels + 1]
    noise: NDArray[np.float64] = random.standard_normal((len(labels), PROFILE.dimension))
    return unit(voices + 0.7 * unit(noise))


@pytest.mark.parametrize("counts", [[40, 40], [30, 200], [40, 40, 40], [2000, 2000]], ids=str)
def test_clearly_different_voices_are_told(counts: list[int]) -> None:
    assert hold_several_voices(windows(counts, alike=0.1), PROFILE)


@pytest.mark.parametrize("counts", [[30], [500], [5000]], ids=str)
def test_one_voice_is_not(counts: list[int]) -> None:
    assert not any(hold_several_voices(windows(counts, alike=0.1, seed=seed), PROFILE) for seed in range(5))


def test_voices_that_are_alike_or_say_little_are_not() -> None:
    assert not hold_several_voices(windows([60, 60], alike=0.45), PROFILE)
    assert not hold_several_voices(windows([60, ENOUGH - 3], alike=0.1), PROFILE)
    # Also where only every tenth window is looked at.
    assert not hold_several_voices(windows([10 * MAX_WINDOWS, ENOUGH - 3], alike=0.1), PROFILE)


def test_without_a_threshold_of_the_encoder_nothing_is_told() -> None:
    profile = replace(PROFILE, different_voices_similarity=None)
    assert not hold_several_voices(windows([60, 60], alike=0.1), profile)
    assert not SeveralVoices(profile).is_due(10_000)


def test_windows_that_are_all_the_same_are_of_one() -> None:
    assert not hold_several_voices(np.repeat(windows([1], alike=0.1), 100, axis=0), PROFILE)


def test_it_is_looked_at_less_often_the_longer_it_lasts_and_no_more_once_found() -> None:
    vectors, suspicion, looks = windows([2000, 0], alike=0.1), SeveralVoices(PROFILE), []
    for count in range(1, len(vectors) + 1):
        if suspicion.is_due(count):
            looks.append(count)
            suspicion.look(vectors[:count])
    assert looks[0] == 2 * ENOUGH
    assert len(looks) < 20
    suspicion.look(windows([60, 60], alike=0.1))
    assert suspicion.found
    assert not suspicion.is_due(10**6)

"""Ways of a voice to a recording change how it sounds, not how long it is."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.microphones import CONDITIONS, as_loud, band_limited
from benchmarks.recordings import RATE_HZ, sample_speech

SPEECH = (sample_speech(0.1) / 32768).astype(np.float32)


@pytest.mark.parametrize("way", CONDITIONS)
def test_what_comes_out_is_the_speech_at_its_level(way: str) -> None:
    heard = CONDITIONS[way](SPEECH, 1)
    assert heard.dtype == np.float32
    assert len(heard) == pytest.approx(len(SPEECH), abs=0.2 * RATE_HZ)
    change_db = 10 * np.log10(np.square(heard).mean() / np.square(SPEECH).mean())
    assert change_db == pytest.approx(-25 if way == "25 dB quieter" else 0, abs=12)


@pytest.mark.parametrize("way", ["another microphone", "noise, 10 dB under", "far, T60 0.4 s"])
def test_another_seed_is_another_room_or_microphone(way: str) -> None:
    assert not np.array_equal(CONDITIONS[way](SPEECH, 1), CONDITIONS[way](SPEECH, 2))
    assert np.array_equal(CONDITIONS[way](SPEECH, 1), CONDITIONS[way](SPEECH, 1))


def test_frequencies_outside_of_a_band_are_gone() -> None:
    spectrum = np.abs(np.fft.rfft(band_limited(SPEECH, 300, 3400)))
    places_hz = np.fft.rfftfreq(len(SPEECH), 1 / RATE_HZ)
    assert spectrum[places_hz > 6000].max() < 0.02 * spectrum.max()


def test_silence_stays_silent() -> None:
    assert not as_loud(np.zeros(10, np.float32), SPEECH).any()

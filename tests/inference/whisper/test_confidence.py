"""How sure a word is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.whisper.confidence import calibrated, uncalibrated

PROBABILITIES = st.floats(0, 1)


@given(PROBABILITIES, PROBABILITIES)
def test_a_surer_word_stays_the_surer_one(one: float, other: float) -> None:
    low, high = sorted((calibrated(one), calibrated(other)))
    assert 0 < low <= high < 1
    assert (calibrated(min(one, other)), calibrated(max(one, other))) == (low, high)


@given(st.floats(0.01, 0.99))
def test_the_probability_can_be_told_from_the_confidence(probability: float) -> None:
    assert uncalibrated(calibrated(probability)) == pytest.approx(probability, abs=1e-2)

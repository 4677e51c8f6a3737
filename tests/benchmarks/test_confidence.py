"""The calibration is found again in data that was made with it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.confidence import Calibration, fit_calibration, reliability, threshold
from inference.whisper.confidence import calibrated, uncalibrated


def test_the_calibration_of_made_words_is_found() -> None:
    random = np.random.default_rng(0)
    odds = random.normal(1.0, 2.0, 40_000)
    truth = Calibration(0.6, -0.4)
    right = (random.random(len(odds)) < truth(odds)).astype(float)
    found = fit_calibration(odds, right)
    assert found.slope == pytest.approx(truth.slope, abs=0.03)
    assert found.intercept == pytest.approx(truth.intercept, abs=0.05)
    _, error = reliability(found(odds), right)
    assert error < 0.01


def test_reliability_of_a_hand_computed_case() -> None:
    rows, error = reliability(np.array([0.25, 0.25, 0.95, 1.0]), np.array([0.0, 1.0, 1.0, 1.0]))
    assert [(row["from"], row["right"], row["words"]) for row in rows] == [(0.2, 0.5, 2), (0.9, 1.0, 2)]
    assert error == pytest.approx(0.5 * 0.25 + 0.5 * 0.025)


def test_the_threshold_lies_between_good_and_bad_recordings() -> None:
    place, balance = threshold(np.array([0.5, 0.6, 0.8, 0.9]), np.array([70.0, 45.0, 12.0, 5.0]))
    assert place == pytest.approx(0.7)
    assert balance == 1.0


@pytest.mark.parametrize("probability", [0.01, 0.3, 0.5, 0.9, 0.99])
def test_a_calibrated_probability_can_be_told_again(probability: float) -> None:
    assert uncalibrated(calibrated(probability)) == pytest.approx(probability, abs=1e-6)

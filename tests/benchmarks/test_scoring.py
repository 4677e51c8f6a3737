"""The scorers agree with the field's reference implementation."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scoring import SpokenInterval, diarization_error_rate, read_rttm, word_error_rate
from tests.recordings import EVAL

CHECK = EVAL / "der_check"


@pytest.mark.skipif(not CHECK.is_dir(), reason="no evaluation data beside the checkout")
def test_der_is_md_evals() -> None:
    def only(folder: str) -> Path:
        path = CHECK / folder
        return next(iter(sorted(path.rglob("*")))) if path.is_dir() else path

    found = diarization_error_rate(
        read_rttm(only("ref_rttm")), read_rttm(only("sys_rttm")), None, collar_s=0.25, skip_overlap=True
    )
    assert found == pytest.approx(7.16923618, abs=0.05)


def test_der_of_a_hand_computed_case() -> None:
    reference = [SpokenInterval(0, 10, "a"), SpokenInterval(10, 20, "b")]
    hypothesis = [SpokenInterval(0, 12, "x"), SpokenInterval(12, 20, "y")]
    assert diarization_error_rate(reference, hypothesis, 20, 0) == pytest.approx(10)


def test_wer_ignores_case_and_punctuation() -> None:
    assert word_error_rate("Yes, we CAN.", "yes we can") == 0
    assert word_error_rate("yes we can", "yes we") == pytest.approx(100 / 3)

"""The scorers agree with the field's reference implementation."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scoring import (
    SpokenInterval,
    concatenated_word_error_rate,
    count_word_errors,
    diarization_error_rate,
    diarization_errors,
    equal_word_pairs,
    folded_words,
    jaccard_error_rate,
    read_rttm,
    read_stm_speakers,
    word_error_rate,
)
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


def test_der_is_the_sum_of_what_is_missed_falsely_told_and_told_of_another() -> None:
    reference = [SpokenInterval(0, 10, "a"), SpokenInterval(10, 20, "b")]
    hypothesis = [SpokenInterval(0, 12, "x"), SpokenInterval(12, 16, "y"), SpokenInterval(20, 21, "y")]
    found = diarization_errors(reference, hypothesis, 25, 0)
    assert found == pytest.approx((20, 5, 10))
    assert found.rate == pytest.approx(35)
    assert diarization_errors([], hypothesis, 25, 0).rate == 100
    assert diarization_errors([], [], 25, 0).rate == 0


def test_wer_ignores_case_and_punctuation() -> None:
    assert word_error_rate("Yes, we CAN.", "yes we can") == 0
    assert word_error_rate("yes we can", "yes we") == pytest.approx(100 / 3)


def test_jer_counts_each_speaker_the_same() -> None:
    reference = [SpokenInterval(0, 18, "a"), SpokenInterval(18, 20, "b")]
    hypothesis = [SpokenInterval(0, 20, "x")]
    # a: 2 of 20 wrong; b: nobody.
    assert jaccard_error_rate(reference, hypothesis, 20) == pytest.approx((10 + 100) / 2)


def test_cpwer_is_wer_of_each_speaker_under_the_best_matching() -> None:
    reference = {"a": "one two three", "b": "four five"}
    assert concatenated_word_error_rate(reference, {"1": "four five", "2": "One, two, three."}) == 0
    # "three" given to the other: missing here, too much there.
    assert concatenated_word_error_rate(reference, {"1": "three four five", "2": "one two"}) == pytest.approx(40)
    # A speaker too many: all those words are errors.
    assert concatenated_word_error_rate(reference, {"1": "four five", "2": "one two", "3": "three"}) == pytest.approx(
        40
    )
    assert concatenated_word_error_rate(reference, {}) == pytest.approx(100)


def test_what_each_speaker_says_is_read_in_the_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "m.stm").write_text(
        ";; comment\nm 1 b 3.0 4.0 later\nm 1 a 0.0 1.0 first words\nm 1 b 2.0 2.5 sooner\n"
    )
    assert read_stm_speakers(tmp_path / "m.stm") == {"a": "first words", "b": "sooner later"}


def test_words_of_any_language_are_folded() -> None:
    assert folded_words("Ｄas ’Wasser’, l’eau_x!", "de") == ["das", "wasser", "l'eau", "x"]
    assert folded_words("欢迎 大家。", "zh") == list("欢迎大家")


def test_right_words_are_told_by_their_places() -> None:
    said, heard = "we can see it".split(), "oh we see it".split()
    assert equal_word_pairs(said, heard) == [(0, 1), (2, 2), (3, 3)]
    assert count_word_errors(said, heard) == 2
    assert equal_word_pairs([], heard) == []

"""Overlap and interruptions beside the truth, on examples small enough to be counted by hand."""

from __future__ import annotations

import pytest

from benchmarks.overlap_scoring import (
    InterruptionCounts,
    Overlap,
    interruptions,
    overlap,
    reference_conversation,
    spoken_intervals,
    summed,
)
from benchmarks.scoring import SpokenInterval
from server.conversation import Conversation


def talk(*spoken: tuple[str, float, float], duration_s: float = 60) -> Conversation:
    return reference_conversation(
        [SpokenInterval(start, end, who) for who, start, end in spoken], round(duration_s * 1e6)
    )


def test_overlap_is_what_two_or_more_say_at_once() -> None:
    reference = [SpokenInterval(0, 10, "a"), SpokenInterval(8, 20, "b"), SpokenInterval(9, 9.5, "c")]
    hypothesis = [SpokenInterval(0, 9, "x"), SpokenInterval(7, 20, "y")]
    found = overlap(reference, hypothesis)
    assert found == pytest.approx((2, 2, 1))
    assert found.precision == pytest.approx(0.5)
    assert found.recall == pytest.approx(0.5)


def test_one_speaker_twice_at_once_is_no_overlap() -> None:
    assert overlap([SpokenInterval(0, 5, "a"), SpokenInterval(3, 8, "a")], []) == Overlap(0, 0, 0)


def test_without_overlap_there_is_no_rate() -> None:
    assert (Overlap(0, 0, 0).precision, Overlap(0, 0, 0).recall) == (None, None)


def test_overlaps_of_recordings_are_added_up() -> None:
    assert summed([Overlap(4, 2, 1), Overlap(0, 2, 0)]) == Overlap(4, 4, 1)


def test_speakers_are_numbered_by_their_first_speech_and_cut_where_the_recording_ends() -> None:
    found = talk(("b", 5, 12), ("a", 0, 4), duration_s=10)
    assert found.speakers == (1, 2)
    assert spoken_intervals(found) == [SpokenInterval(0, 4, "1"), SpokenInterval(5, 10, "2")]


def test_an_interruption_is_told_where_it_is_within_a_second_and_of_the_same_two() -> None:
    truth = talk(("a", 0, 10), ("b", 9.2, 20), ("a", 18, 30))  # b cuts a off; a fails to cut b off, who talks on
    told = talk(("x", 0, 10), ("y", 9.0, 20), ("x", 18.5, 30))
    assert interruptions(truth, told) == InterruptionCounts(2, 2, 2, 2, 2, 1, 1)


def test_an_interruption_told_of_another_speaker_is_so_in_time_alone() -> None:
    truth = talk(("a", 0, 10), ("b", 9.2, 20), ("c", 30, 50))
    told = talk(("x", 0, 10), ("z", 9.2, 12), ("y", 12, 20), ("z", 30, 50))
    assert interruptions(truth, told) == InterruptionCounts(1, 1, 1, 0, 0, 1, 1)


def test_whom_is_counted_apart_from_by_whom() -> None:
    truth = talk(("a", 0, 10), ("b", 9.2, 20), ("c", 30, 50))
    told = talk(("x", 0, 5), ("z", 5.5, 10), ("y", 9.2, 20), ("z", 30, 50))
    assert interruptions(truth, told) == InterruptionCounts(1, 1, 1, 1, 0, 1, 1)


def test_an_interruption_far_from_every_true_one_is_none_of_them() -> None:
    truth = talk(("a", 0, 10), ("b", 9.2, 20))
    told = talk(("x", 0, 7), ("y", 6.2, 20))
    assert interruptions(truth, told) == InterruptionCounts(1, 1, 0, 0, 0, 1, 1)


def test_each_true_interruption_is_told_once() -> None:
    truth = talk(("a", 0, 10), ("b", 9.2, 20))
    told = talk(("x", 0, 10), ("y", 9.2, 20), ("z", 9.3, 12))  # z cuts in on both
    found = interruptions(truth, told)
    assert (found.true, found.told, found.in_time, found.who_whom) == (1, 3, 1, 1)


def test_where_nobody_interrupts_nothing_is_counted() -> None:
    assert interruptions(talk(("a", 0, 10)), talk()) == InterruptionCounts(0, 0, 0, 0, 0, 0, 0)

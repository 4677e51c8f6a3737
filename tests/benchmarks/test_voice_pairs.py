"""Pairs of voices counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.voice_pairs import PairSimilarities, VoiceSet, compare, naming_rates, voices

A, B = np.eye(2, dtype=np.float32)
BETWEEN = np.array([0.6, 0.8], np.float32)  # of cosine 0.6 to A and 0.8 to B


def some(*people: tuple[str, np.ndarray]) -> VoiceSet:
    return VoiceSet(
        np.array([person for person, _ in people]),
        np.array(["close"] * len(people)),
        np.stack([vector for _, vector in people]),
    )


def test_windows_become_voices_of_so_many() -> None:
    found = voices([("a", "close", np.stack([A, A, B, B, B])), ("b", "far", B[None])], 2)
    assert list(found.people) == ["a", "a", "b"]
    assert found.vectors == pytest.approx(np.stack([A, B, B]), abs=1e-6)
    assert list(found.for_condition("far").people) == ["b"]


def test_every_voice_known_meets_every_new_one() -> None:
    pairs = compare(some(("a", A), ("b", B)), some(("a", A), ("a", BETWEEN)))
    assert pairs.same == pytest.approx([1.0, 0.6])
    assert pairs.other == pytest.approx([0.0, 0.8])
    assert (pairs.missed(0.7), pairs.false_matches(0.7)) == (50.0, 50.0)


def test_errors_are_equal_where_the_two_kinds_cross() -> None:
    assert PairSimilarities(np.array([0.6, 0.7, 0.8, 0.9]), np.array([0.0, 0.1, 0.2, 0.65])).equal_error == 25.0
    assert PairSimilarities(np.array([0.6, 0.7]), np.array([0.0, 0.5])).equal_error == 0.0


def test_a_speaker_is_named_as_the_likest_who_is_like_enough() -> None:
    known, new = some(("a", A), ("b", B)), some(("a", A), ("a", BETWEEN))
    becomes = naming_rates(known, new, 0.7)
    assert (becomes.right, becomes.wrong, becomes.strangers) == (50.0, 50.0, 50.0)
    assert naming_rates(known, new, 0.9).strangers == 0.0

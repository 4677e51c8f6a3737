"""Which windows are of one voice: on vectors whose voices are known."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.diarization.clustering import cluster_speakers
from tests.inference.diarization.known_voices import PROFILE, Vectors, spoken


def found_of_each(vectors: Vectors, centroids: Vectors, labels: NDArray[np.int64]) -> list[int]:
    """For each voice, the centroid most of its windows are nearest to."""
    nearest = (vectors @ centroids.T).argmax(1)
    return [int(np.bincount(nearest[labels == voice]).argmax()) for voice in np.unique(labels)]


@pytest.mark.parametrize("counts", [[30], [20, 20], [40, 10, 8], [15, 15, 15, 15], [100, 100, 12], [12] * 6])
def test_as_many_voices_are_found_as_speak(counts: list[int]) -> None:
    vectors, labels = spoken(counts)
    centroids = cluster_speakers(vectors, PROFILE)
    assert len(centroids) == len(counts)
    assert sorted(found_of_each(vectors, centroids, labels)) == list(range(len(counts)))


@given(st.lists(st.integers(1, 25), min_size=1, max_size=7), st.integers(1, 10), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_never_more_than_are_known_to_speak(counts: list[int], expected: int, seed: int) -> None:
    centroids = cluster_speakers(spoken(counts, seed)[0], PROFILE, expected)
    assert 1 <= len(centroids) <= expected
    assert np.allclose(np.linalg.norm(centroids, axis=1), 1, atol=1e-4)


@pytest.mark.long
@given(st.lists(st.integers(1, 25), min_size=1, max_size=14), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_never_more_than_the_encoder_tells_apart_and_the_same_each_time(counts: list[int], seed: int) -> None:
    vectors = spoken(counts, seed)[0]
    centroids = cluster_speakers(vectors, PROFILE)
    assert 1 <= len(centroids) <= PROFILE.max_speakers
    assert np.array_equal(centroids, cluster_speakers(vectors, PROFILE))


def test_as_many_as_are_known_to_speak_where_the_estimate_is_more() -> None:
    vectors, _ = spoken([20, 20, 20, 20])
    assert [len(cluster_speakers(vectors, PROFILE, expected)) for expected in (2, 3, 4)] == [2, 3, 4]


@pytest.mark.long
def test_an_hour_of_one_voice_is_one_voice_and_one_who_speaks_little_is_still_found() -> None:
    assert len(cluster_speakers(spoken([3000])[0], PROFILE)) == 1
    vectors, labels = spoken([1200, 1200, 70])
    centroids = cluster_speakers(vectors, PROFILE)
    assert sorted(found_of_each(vectors, centroids, labels)) == [0, 1, 2]


@pytest.mark.long
def test_four_hours_take_bounded_time() -> None:
    vectors, _ = spoken([9000, 9000, 4000, 3000])
    began = time.process_time()
    assert len(cluster_speakers(vectors, PROFILE)) == 4
    # About a second here; every vector against every other would take minutes and 2.5 GB.
    assert time.process_time() - began < 120

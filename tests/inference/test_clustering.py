"""Which windows are of one voice: on vectors whose voices are known."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.diarization.clustering import cluster_speakers
from inference.diarization.mixture import Spread, fit_mixture
from inference.onnx.speakers.campplus_encoder import PROFILE as CAMPPLUS_PROFILE

Vectors = NDArray[np.float32]
PROFILE = replace(CAMPPLUS_PROFILE, dimension=64)
# As alike as the vectors of CAM++: windows of one voice at 0.55, of two at 0.16.
COMMON, OWN = 0.16, 0.39


def unit(vectors: NDArray[np.floating]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def spoken(counts: list[int], seed: int = 0) -> tuple[Vectors, NDArray[np.int64]]:
    """So many windows of each voice, in turn, and whose each is."""
    random = np.random.default_rng(seed)
    directions = np.linalg.qr(random.standard_normal((PROFILE.dimension, len(counts) + 1)))[0].T
    labels = np.repeat(np.arange(len(counts)), counts)
    spread = unit(random.standard_normal((len(labels), PROFILE.dimension)))
    voices = np.sqrt(COMMON) * directions[0] + np.sqrt(OWN) * directions[labels + 1]
    return unit(voices + np.sqrt(1 - COMMON - OWN) * spread), labels


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


def test_an_hour_of_one_voice_is_one_voice_and_one_who_speaks_little_is_still_found() -> None:
    assert len(cluster_speakers(spoken([3000])[0], PROFILE)) == 1
    vectors, labels = spoken([1200, 1200, 70])
    centroids = cluster_speakers(vectors, PROFILE)
    assert sorted(found_of_each(vectors, centroids, labels)) == [0, 1, 2]


def test_four_hours_take_bounded_time() -> None:
    vectors, _ = spoken([9000, 9000, 4000, 3000])
    began = time.process_time()
    assert len(cluster_speakers(vectors, PROFILE)) == 4
    # About a second here; every vector against every other would take minutes and 2.5 GB.
    assert time.process_time() - began < 120


def test_the_evidence_is_greatest_for_the_clusters_that_are_there() -> None:
    vectors, labels = spoken([20, 20, 20])
    weights = np.ones(len(vectors))
    spread = Spread(within_voice=1 - COMMON - OWN, between_voices=OWN)
    guesses = {"true": labels, "one": 0 * labels, "two united": np.minimum(labels, 1)}
    evidence = {name: fit_mixture(vectors, weights, guess, spread).evidence for name, guess in guesses.items()}
    assert max(evidence, key=lambda name: evidence[name]) == "true"


def test_clusters_without_evidence_vanish() -> None:
    vectors, labels = spoken([30, 30])
    spread = Spread(within_voice=1 - COMMON - OWN, between_voices=OWN)
    # Each voice begins as three clusters.
    split = labels * 3 + np.arange(len(labels)) % 3
    fit = fit_mixture(vectors, np.ones(len(vectors)), split, spread)
    assert np.array_equal(fit.labels[:30], np.full(30, fit.labels[0]))
    assert np.array_equal(fit.labels[30:], np.full(30, fit.labels[30]))
    assert fit.labels[0] != fit.labels[30]

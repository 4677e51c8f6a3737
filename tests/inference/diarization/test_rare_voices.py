"""Voices that are heard seldom, where one surely speaks alone: on vectors whose voices are known."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.diarization.agglomeration import normalise
from inference.diarization.clustering import cluster_speakers
from inference.diarization.rare_voices import MIN_WINDOWS, add_rare_voices, single_voice_shares
from inference.diarization.segmented_windows import FrameGrid, SegmentedWindows
from inference.diarization.windows import EncoderWindow
from inference.onnx.speakers.campplus_encoder import PROFILE as CAMPPLUS_PROFILE

pytestmark = pytest.mark.long

Vectors = NDArray[np.float32]
PROFILE = replace(CAMPPLUS_PROFILE, dimension=64)
STEP_S = 0.02
NOBODY, FIRST, SECOND, BOTH = 0, 1, 2, 4


def spoken(counts: list[int], seed: int = 0, alike: float = 0.6) -> tuple[Vectors, NDArray[np.int64]]:
    """So many windows of each voice, in turn, so alike within a voice and unlike between voices; and whose each is."""
    random = np.random.default_rng(seed)
    directions = np.linalg.qr(random.standard_normal((PROFILE.dimension, len(counts))))[0].T
    labels = np.repeat(np.arange(len(counts)), counts)
    spread = normalise(random.standard_normal((len(labels), PROFILE.dimension)))
    return normalise(np.sqrt(alike) * directions[labels] + np.sqrt(1 - alike) * spread), labels


def sure(count: int) -> NDArray[np.float32]:
    return np.ones(count, np.float32)


def centroids_of(vectors: Vectors, labels: NDArray[np.int64], voices: int) -> Vectors:
    return normalise(np.stack([vectors[labels == voice].mean(0) for voice in range(voices)]))


def test_one_who_says_little_in_a_long_meeting_is_found_where_that_is_surely_alone() -> None:
    vectors, labels = spoken([1200, 900, 8])
    assert len(cluster_speakers(vectors, PROFILE)) == 2
    centroids = cluster_speakers(vectors, PROFILE, alone=sure(len(vectors)))
    assert len(centroids) == 3
    assert np.array_equal((vectors @ centroids.T)[labels == 2].argmax(1), np.full(8, 2))


def test_a_speaker_who_was_given_anothers_windows_is_estimated_without_them() -> None:
    vectors, labels = spoken([60, 40, 9])
    mixed = centroids_of(vectors, np.where(labels == 2, 1, labels), 2)
    found = add_rare_voices(vectors, sure(len(vectors)), mixed, PROFILE, 8)
    pure = centroids_of(vectors, labels, 3)
    assert len(found) == 3
    np.testing.assert_allclose((found * pure).sum(1), 1, atol=0.01)


def test_windows_that_are_not_surely_of_one_voice_are_of_nobody_new() -> None:
    vectors, labels = spoken([60, 40, 9])
    known = centroids_of(vectors, labels, 2)
    alone = np.where(labels == 2, np.float32(0.4), np.float32(1.0))
    assert np.array_equal(add_rare_voices(vectors, alone, known, PROFILE, 8), known)


@pytest.mark.parametrize("count", range(1, MIN_WINDOWS))
def test_fewer_windows_than_make_a_voice_are_of_nobody_new(count: int) -> None:
    vectors, labels = spoken([60, 40, count])
    known = centroids_of(vectors, labels, 2)
    assert np.array_equal(add_rare_voices(vectors, sure(len(vectors)), known, PROFILE, 8), known)


def test_sounds_that_are_not_alike_are_no_voice() -> None:
    vectors, labels = spoken([60, 40, *([1] * 12)])
    known = centroids_of(vectors, labels, 2)
    assert np.array_equal(add_rare_voices(vectors, sure(len(vectors)), known, PROFILE, 8), known)


def test_no_more_than_are_known_to_speak_and_one_who_is_known_to_speak_is_looked_for() -> None:
    vectors, _ = spoken([300, 200, 8, 7])
    for expected in (1, 2, 3, 4):
        assert len(cluster_speakers(vectors, PROFILE, expected, sure(len(vectors)))) == expected


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_never_more_than_the_encoder_tells_apart_and_the_same_each_time(counts: list[int], seed: int) -> None:
    vectors = spoken(counts, seed)[0]
    alone = np.random.default_rng(seed).random(len(vectors), np.float32)
    centroids = cluster_speakers(vectors, PROFILE, alone=alone)
    assert 1 <= len(centroids) <= PROFILE.max_speakers
    assert np.allclose(np.linalg.norm(centroids, axis=1), 1, atol=1e-4)
    assert np.array_equal(centroids, cluster_speakers(vectors, PROFILE, alone=alone))


def test_four_hours_of_sounds_like_nobody_take_bounded_time() -> None:
    random = np.random.default_rng(0)
    vectors = normalise(random.standard_normal((24_000, PROFILE.dimension)))
    began = time.process_time()
    found = add_rare_voices(vectors, sure(len(vectors)), vectors[:1], PROFILE, 8)
    assert 1 <= len(found) <= 8
    # A few seconds here; every vector against every other would take minutes and 2.3 GB.
    assert time.process_time() - began < 120


def heard(said: NDArray[np.int64], windows: int, length: int = 500, hop: int = 125) -> SegmentedWindows:
    """So many windows over the classes of frames; silence follows them."""
    voices = SegmentedWindows(FrameGrid(STEP_S / 2, STEP_S), hop)
    padded = np.concatenate([said, np.zeros(windows * hop + length, np.int64)])
    for number in range(windows):
        own = padded[number * hop : number * hop + length]
        classes = np.zeros((length, 7), np.float32)
        classes[np.arange(length), own] = 1
        voices.append(classes)
    return voices


def test_a_window_is_as_sure_as_one_voice_speaks_alone_in_it() -> None:
    said = np.zeros(750, np.int64)
    for start_s, end_s, kind in ((0, 4, FIRST), (4, 6, BOTH), (6, 10, SECOND)):
        said[round(start_s / STEP_S) : round(end_s / STEP_S)] = kind
    spans = [(1.0, 2.2), (3.4, 4.6), (4.4, 5.6), (5.4, 6.6), (9.4, 10.6), (11.0, 12.2)]
    windows = [EncoderWindow(start_s, end_s, 0) for start_s, end_s in spans]
    # Of the fifth, the first window of voices holds the half in which one speaks; the two after it hold all.
    for count, fifth in ((1, 1.0), (3, 0.6)):
        shares = single_voice_shares(heard(said, count), windows)
        np.testing.assert_allclose(shares, [1.0, 0.5, 0.0, 0.5, fifth, 0.0], atol=0.03)


def test_two_who_follow_one_another_are_not_one_alone() -> None:
    said = np.where(np.arange(500) < 100, FIRST, SECOND)
    ((share,), (half,)) = (
        single_voice_shares(heard(said, 1), [EncoderWindow(start_s, start_s + 1.2, 0)]) for start_s in (2.6, 1.4)
    )
    assert share == pytest.approx(1.0, abs=0.01)
    assert half == pytest.approx(0.5, abs=0.03)


def test_what_is_too_short_or_not_heard_yet_is_not_sure() -> None:
    said = np.full(500, FIRST)
    windows = [EncoderWindow(1.0, 1.5, 0), EncoderWindow(12.0, 13.2, 1)]
    assert single_voice_shares(heard(said, 1), windows).tolist() == [0.0, 0.0]
    assert single_voice_shares(SegmentedWindows(FrameGrid(0.01, STEP_S), 125), windows).tolist() == [0.0, 0.0]
    assert single_voice_shares(heard(said, 1), []).shape == (0,)

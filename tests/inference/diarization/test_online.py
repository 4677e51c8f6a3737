"""Who speaks, told while the session goes on: on vectors whose voices are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.diarization.online import RECLUSTER_MIN_S, OnlineSpeakers
from inference.diarization.speech_segments import SpeechSegment
from inference.onnx.speakers.campplus_encoder import PROFILE as CAMPPLUS_PROFILE

Vectors = NDArray[np.float32]
PROFILE = replace(CAMPPLUS_PROFILE, dimension=64)
HOP_S = PROFILE.hop_s
DUE_WINDOWS = ceil(RECLUSTER_MIN_S / HOP_S)


def unit(vectors: NDArray[np.float64]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def windows(voices: Sequence[int], *, spread: float = 0.4, seed: int = 0) -> Vectors:
    """A window of each of these voices: about 0.93 alike where the voice is the same, 0 where it is not."""
    random = np.random.default_rng(seed)
    noise = unit(random.standard_normal((len(voices), PROFILE.dimension)))
    return unit(np.eye(PROFILE.dimension)[list(voices)] + spread * noise)


def runs(*parts: tuple[int, int]) -> list[int]:
    """Voices window by window from (voice, windows)."""
    return [voice for voice, count in parts for _ in range(count)]


def spoken(online: OnlineSpeakers, vectors: Vectors) -> list[int]:
    """The label of each voice that speaks in a segment of these windows, in turn."""
    middles = HOP_S * np.arange(1, len(vectors) + 1, dtype=np.float64)
    segment = SpeechSegment(0.0, len(vectors) * HOP_S + HOP_S)
    pieces = online.split(0, segment, middles, vectors)
    assert [(a.end_s, a.index + 1) for a in pieces[:-1]] == [(b.start_s, b.index) for b in pieces[1:]]
    assert (pieces[0].start_s, pieces[-1].end_s) == (segment.start_s, segment.end_s)
    return [piece.speaker for piece in pieces]


def heard(vectors: Vectors, expected: int | None = None) -> OnlineSpeakers:
    online = OnlineSpeakers(PROFILE, expected)
    online.assign(vectors)
    return online


def test_two_voices_are_two_labels_in_the_order_of_their_first_windows() -> None:
    vectors = windows(runs((5, 8), (2, 8), (5, 8)))
    online = heard(vectors)
    assert online.voices == 2
    assert spoken(online, vectors) == [1, 2, 1]


@pytest.mark.parametrize("at_once", [1, 3, 24])
def test_how_many_windows_come_at_once_changes_nothing(at_once: int) -> None:
    vectors = windows(runs((5, 8), (2, 8), (7, 8)))
    online = OnlineSpeakers(PROFILE, None)
    for start in range(0, len(vectors), at_once):
        online.assign(vectors[start : start + at_once])
    assert spoken(online, vectors) == spoken(heard(vectors), vectors) == [1, 2, 3]


def test_labels_mean_the_same_voices_after_everything_is_clustered_anew() -> None:
    vectors = windows(runs((5, 12), (2, 12), (7, 12), (5, 6)))
    online = heard(vectors)
    before = spoken(online, vectors)
    for _ in range(2):
        online.recluster(vectors)
        assert spoken(online, vectors) == before == [1, 2, 3, 1]
    # Whoever speaks longest changes nothing of it.
    more = np.concatenate([vectors, windows(runs((7, 30)), seed=1)])
    online.assign(more[len(vectors) :])
    online.recluster(more)
    assert spoken(online, vectors) == before


def test_a_voice_that_comes_after_clustering_has_a_label_of_its_own() -> None:
    vectors = windows(runs((1, 15), (2, 15)))
    online = heard(vectors)
    online.recluster(vectors)
    late = windows(runs((3, 10)), seed=1)
    online.assign(late)
    assert spoken(online, np.concatenate([vectors, late])) == [1, 2, 3]


def two_sides_of_one() -> Vectors:
    """One voice whose first windows are less alike than the threshold for a new voice, the rest between them."""
    ends = np.eye(PROFILE.dimension)[:2]
    shares = np.concatenate([[0.0] * 3, [1.0] * 3, np.random.default_rng(3).random(40)])
    mixed = (1 - shares[:, None]) * (ends[0] + 0.55 * ends[1]) + shares[:, None] * (ends[1] + 0.55 * ends[0])
    return unit(mixed)


def test_one_voice_that_was_taken_for_two_is_one_once_more_is_known() -> None:
    vectors = two_sides_of_one()
    online = OnlineSpeakers(replace(PROFILE, online_similarity=0.9), None)
    online.assign(vectors)
    assert online.voices == 2
    online.recluster(vectors)
    assert online.voices == 1
    # It goes on under one of the labels that it had.
    assert set(spoken(online, vectors)) <= {1, 2}


def test_two_voices_that_were_taken_for_one_are_two_once_more_is_known() -> None:
    vectors = windows(runs((1, 30), (2, 10)))
    online = OnlineSpeakers(replace(PROFILE, online_similarity=-1.0), None)
    online.assign(vectors)
    assert (online.voices, spoken(online, vectors)) == (1, [1])
    online.recluster(vectors)
    # The one who was heard most keeps the label; the other is new.
    assert spoken(online, vectors) == [1, 2]


def test_a_label_that_was_given_up_is_never_anybody_elses() -> None:
    vectors = two_sides_of_one()
    online = OnlineSpeakers(replace(PROFILE, online_similarity=0.9), None)
    online.assign(vectors)
    online.recluster(vectors)
    late = windows(runs((9, 10)), spread=0.1)
    online.assign(late)
    assert set(spoken(online, late)) == {3}


@pytest.mark.parametrize("expected", [1, 2, 3])
def test_no_more_voices_than_are_known_to_speak(expected: int) -> None:
    vectors = windows(runs(*((voice, 10) for voice in range(5))))
    online = heard(vectors, expected)
    assert online.voices <= expected
    online.recluster(vectors)
    assert online.voices <= expected
    online.assign(windows(runs((9, 10)), seed=1))
    assert online.voices <= expected


def test_speech_that_is_told_stays_with_its_speaker_unless_another_is_clearly_closer() -> None:
    online = heard(windows(runs((0, 20), (1, 20)), spread=0.0))
    middles, segment = np.array([HOP_S]), SpeechSegment(0.0, 2 * HOP_S)

    def between(share: float) -> Vectors:
        return unit(np.eye(PROFILE.dimension)[:1] * (1 - share) + np.eye(PROFILE.dimension)[1:2] * share)

    (told,) = online.split(0, segment, middles, between(0.49))
    assert told.speaker == 1
    unsure, clear = between(0.51), between(0.6)
    assert [span.speaker for span in online.split(0, segment, middles, unsure)] == [2]
    assert [span.speaker for span in online.split(0, segment, middles, unsure, [told])] == [1]
    assert [span.speaker for span in online.split(0, segment, middles, clear, [told])] == [2]
    # A speaker who is gone holds nothing.
    assert [span.speaker for span in online.split(0, segment, middles, unsure, [replace(told, speaker=9)])] == [2]


def test_the_margin_of_a_voice_is_known_once_voices_were_clustered() -> None:
    vectors = windows(runs((0, 20), (1, 20)), spread=0.0)
    online = heard(vectors)
    assert online.margin(1, vectors[:3]) == 0.0
    online.recluster(vectors)
    assert online.margin(1, vectors[:3]) == pytest.approx(1.0)
    assert online.margin(2, vectors[:3]) == pytest.approx(-1.0)
    both = online.margin(1, vectors[18:22])
    assert both == pytest.approx(0.0, abs=1e-6)
    assert online.margin(9, vectors[:3]) == 0.0
    alone = heard(vectors[:20])
    alone.recluster(vectors[:20])
    assert alone.margin(1, vectors[:3]) == 0.0


def test_how_long_each_voice_was_heard_is_told_in_the_order_of_first_speech() -> None:
    online = OnlineSpeakers(replace(PROFILE, online_similarity=-1.0), None)
    vectors = windows(runs((1, 10), (2, 30)))
    online.assign(vectors)
    assert online.speech_s == {1: pytest.approx(40 * HOP_S)}
    online.recluster(vectors)
    # The voice that was heard most keeps the label; the other one spoke first.
    assert list(online.speech_s) == [2, 1]
    assert list(online.speech_s.values()) == pytest.approx([10 * HOP_S, 30 * HOP_S])
    online.assign(windows(runs((2, 5)), seed=1))
    assert online.speech_s[1] == pytest.approx(35 * HOP_S)


def test_one_who_is_known_to_speak_alone_is_always_the_first() -> None:
    vectors = windows(runs(*((voice, 10) for voice in range(5))))
    online = heard(vectors, 1)
    online.recluster(vectors)
    assert set(spoken(online, vectors)) == {1}


def test_no_more_voices_are_begun_than_the_encoder_tells_apart() -> None:
    vectors = windows(list(range(40)) * 2)
    assert heard(vectors).voices == PROFILE.max_speakers


@pytest.mark.parametrize("voices", [6, 8])
def test_as_many_voices_as_the_encoder_tells_apart_are_told_apart(voices: int) -> None:
    vectors = windows(runs(*((voice, 12) for voice in range(voices))))
    online = heard(vectors)
    online.recluster(vectors)
    assert spoken(online, vectors) == list(range(1, voices + 1))


def test_clustering_is_due_when_enough_is_new() -> None:
    online = OnlineSpeakers(PROFILE, None)
    vectors = windows(runs((1, 312)))
    assert not online.recluster_due
    online.assign(vectors[: DUE_WINDOWS - 1])
    assert not online.recluster_due
    online.assign(vectors[DUE_WINDOWS - 1 : DUE_WINDOWS])
    assert online.recluster_due
    online.recluster(vectors[:DUE_WINDOWS])
    assert not online.recluster_due
    online.assign(vectors[DUE_WINDOWS : 2 * DUE_WINDOWS])
    assert online.recluster_due
    # Of much, a fifth more.
    online.assign(vectors[2 * DUE_WINDOWS : 260])
    online.recluster(vectors[:260])
    online.assign(vectors[260:311])
    assert not online.recluster_due
    online.assign(vectors[311:312])
    assert online.recluster_due


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 12)), min_size=1, max_size=8), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_clear_voices_keep_their_labels_whoever_speaks_when(parts: list[tuple[int, int]], seed: int) -> None:
    voices = runs(*parts)
    vectors = windows(voices, spread=0.2, seed=seed)
    online = OnlineSpeakers(PROFILE, None)
    told: dict[int, int] = {}
    for number in range(1, len(vectors) + 1):
        online.assign(vectors[number - 1 : number])
        (label,) = spoken(online, vectors[number - 1 : number])
        # Each voice keeps the label it was given first, and no other has it.
        assert told.setdefault(voices[number - 1], label) == label
    assert sorted(told.values()) == list(range(1, len(told) + 1))
    assert online.voices == len(told)

"""Spans of speech from frames: pauses and clicks are bridged, and what is closed never changes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.speakers.frame_activity import FrameActivity

FRAME_S = 0.08
# So many frames make 0.25 s and 0.15 s.
PAUSE, SHORTEST = 3, 2


def frames(*rows: str) -> NDArray[np.float32]:
    """Speakers by line: ``x`` speaks, ``.`` does not."""
    return np.asarray([[0.9 if mark == "x" else 0.1 for mark in row] for row in rows], np.float32).T


def spans(probabilities: NDArray[np.float32], *cuts: int) -> list[tuple[int, int, int]]:
    """(speaker, start, end) of all spans; frames come cut at these places."""
    activity = FrameActivity(FRAME_S, probabilities.shape[1])
    for part in np.split(probabilities, cuts):
        activity.push(part)
    activity.finish()
    assert all(span.closed for span in activity.spans)
    return [(span.speaker, span.start, span.end) for span in activity.spans]


def test_a_short_pause_ends_nothing_and_a_click_begins_nothing() -> None:
    assert spans(frames("..xx..xx......x......")) == [(1, 2, 8)]
    assert spans(frames("xx...xx")) == [(1, 0, 2), (1, 5, 7)]


def test_speakers_are_numbered_as_they_are_first_heard() -> None:
    assert spans(frames(".....xxxx", "xxx......")) == [(1, 0, 3), (2, 5, 9)]


def test_who_speaks_at_once_has_spans_that_overlap() -> None:
    assert sorted(spans(frames("xxxxxx....", "...xxxxxx."))) == [(1, 0, 6), (2, 3, 9)]


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60),
    st.lists(st.integers(0, 60), max_size=4),
)
def test_spans_do_not_depend_on_how_frames_come(rows: list[tuple[bool, bool]], cuts: list[int]) -> None:
    probabilities = np.asarray(rows, np.float32).reshape(len(rows), 2)
    found = spans(probabilities)
    assert found == spans(probabilities, *sorted(min(cut, len(rows)) for cut in cuts))
    for speaker in (1, 2):
        own = sorted((start, end) for who, start, end in found if who == speaker)
        assert all(end - start >= SHORTEST for start, end in own)
        assert all(later[0] - earlier[1] >= PAUSE for earlier, later in pairwise(own))


def test_what_changed_is_said_and_what_is_closed_stays() -> None:
    activity = FrameActivity(FRAME_S, 1)
    assert activity.push(frames("x")) == set()
    assert activity.push(frames("x")) == {0}
    assert activity.push(frames("...")) == {0}
    assert activity.spans[0].closed
    assert activity.push(frames("....")) == set()
    assert activity.finish() == set()


def test_shares_and_speech_alone_are_of_the_frames_between() -> None:
    activity = FrameActivity(FRAME_S, 2)
    activity.push(frames("xxxx....", "..xxxx.."))
    assert activity.summed_probability(1, 0, 4 * FRAME_S) == pytest.approx(4 * 0.9, abs=0.01)
    assert activity.single_speaker_spans(0) == [(1, 0, 2), (2, 4, 6)]
    assert activity.single_speaker_spans(5) == [(2, 5, 6)]


def test_an_hour_of_frames_is_kept() -> None:
    activity = FrameActivity(FRAME_S, 1)
    for _ in range(5):
        activity.push(np.ones((1000, 1), np.float32))
    assert activity.frames == 5000
    assert activity.summed_probability(1, 0, 5000 * FRAME_S) == pytest.approx(5000, rel=0.01)

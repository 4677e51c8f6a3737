"""Speech from probabilities: where it begins and ends does not depend on how they come."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.diarization.speech_segments import SpeechRule, SpeechSegment, SpeechSegmenter

WINDOW_S = 0.05
RULE = SpeechRule(
    start_probability=0.5, end_probability=0.1, min_silence_s=0.3, min_speech_s=0.1, lead_s=0.1, tail_s=0.0
)


def segments(*runs: tuple[float, int], cuts: tuple[int, ...] = ()) -> list[tuple[float, float]]:
    """Of runs of (probability, windows)."""
    probabilities = np.repeat([p for p, _ in runs], [n for _, n in runs]).astype(np.float32)
    segmenter = SpeechSegmenter(WINDOW_S, RULE)
    found = [segment for part in np.split(probabilities, cuts) for segment in segmenter.push(part)]
    found += segmenter.finish(len(probabilities) * WINDOW_S)
    return [(round(segment.start_s, 6), round(segment.end_s, 6)) for segment in found]


def test_speech_begins_before_its_first_sure_window_and_ends_with_its_last_faint_one() -> None:
    assert segments((0, 10), (0.5, 4), (0.1, 4), (0.09, 10)) == [(0.4, 0.9)]


@pytest.mark.parametrize(("pause", "count"), [(5, 1), (6, 2)])
def test_a_pause_of_a_third_of_a_second_ends_a_segment(pause: int, count: int) -> None:
    assert len(segments((0.9, 10), (0, pause), (0.9, 10))) == count


@pytest.mark.parametrize(("windows", "count"), [(1, 0), (2, 1)])
def test_a_click_is_no_speech(windows: int, count: int) -> None:
    assert len(segments((0, 10), (0.9, windows), (0, 20))) == count
    # Neither where the session ends with it.
    assert len(segments((0, 10), (0.9, windows))) == count


def test_faint_sound_alone_is_no_speech() -> None:
    assert segments((0.49, 100)) == []


def test_no_segment_begins_before_the_session_or_ends_after_it() -> None:
    segmenter = SpeechSegmenter(WINDOW_S, RULE)
    segmenter.push(np.full(5, 0.9, np.float32))
    assert segmenter.open_segment == SpeechSegment(0.0, 5 * WINDOW_S)
    assert segmenter.finish(0.22) == [SpeechSegment(0.0, 0.22)]
    assert segmenter.open_segment is None


@given(st.lists(st.floats(0, 1, width=32), max_size=80), st.lists(st.integers(0, 80), max_size=5))
def test_segments_are_apart_in_order_and_the_same_however_windows_come(values: list[float], cuts: list[int]) -> None:
    runs = [(value, 1) for value in values]
    found = segments(*runs)
    assert found == segments(*runs, cuts=tuple(sorted(min(cut, len(values)) for cut in cuts)))
    assert all(start < end for start, end in found)
    assert all(first[1] <= second[0] for first, second in pairwise(found))

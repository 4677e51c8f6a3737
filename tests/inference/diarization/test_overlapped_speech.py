"""Voices of windows given to speakers: who has the floor, who speaks beside, what else is speech."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.diarization.overlapped_speech import (
    Similarity,
    detected_speech,
    diarize_with_overlap,
    join_speech,
    speaker_activity,
)
from inference.diarization.segmented_windows import FrameGrid, SegmentedWindows
from inference.diarization.speech_segments import SpeechSegment

STEP_S = 0.02
GRID = FrameGrid(0.5 * STEP_S, STEP_S)
LENGTH, HOP = 500, 125  # frames of a window, and from one to the next: 10 s and 2.5 s
NOBODY, FIRST, SECOND, BOTH = 0, 1, 2, 4


def window_of(said: NDArray[np.int64]) -> NDArray[np.float32]:
    """Probabilities of classes (frames, 7), sure of each frame's class."""
    classes = np.full((len(said), 7), 0.01 / 6, np.float32)
    classes[np.arange(len(said)), said] = 0.99
    return classes


def voices_of(said: NDArray[np.int64], *, swapped: frozenset[int] = frozenset()) -> SegmentedWindows:
    """All windows over the classes of frames; in those ``swapped`` the first voice is called the second."""
    heard = SegmentedWindows(GRID, HOP)
    for number in range(max(0, -(-(len(said) - LENGTH) // HOP)) + 1):
        own = np.zeros(LENGTH, np.int64)
        part = said[number * HOP : number * HOP + LENGTH]
        own[: len(part)] = part
        if number in swapped:
            own = np.array([0, 2, 1, 3, 4, 6, 5])[own]
        heard.append(window_of(own))
    return heard


def classes(*spans: tuple[float, float, int], seconds: float = 20.0) -> NDArray[np.int64]:
    """Classes of frames: (start, end, class) in seconds, nobody elsewhere."""
    said = np.zeros(round(seconds / STEP_S), np.int64)
    for start_s, end_s, kind in spans:
        said[round(start_s / STEP_S) : round(end_s / STEP_S)] = kind
    return said


def alike(*spans: tuple[float, float, int], seconds: float = 20.0) -> Similarity:
    """Windows of 1.2 s every 0.6 s: of cosine 0.8 to the speaker of the span, 0.1 to the others."""
    middles = np.arange(0.6, seconds, 0.6)
    scores = np.full((len(middles), 2), 0.1, np.float32)
    for start_s, end_s, speaker in spans:
        scores[(middles >= start_s) & (middles < end_s), speaker] = 0.8
    return Similarity(middles, scores)


# The first speaks from 1 to 9 s, the second from 7 to 15 s: two seconds of both.
SAID = classes((1, 7, FIRST), (7, 9, BOTH), (9, 15, SECOND))
ALIKE = alike((0, 8, 0), (8, 20, 1))
SPEECH = [SpeechSegment(1.0, 15.0)]


@pytest.mark.parametrize("swapped", [frozenset(), frozenset({1, 3}), frozenset({0, 2, 4})])
def test_two_at_once_are_both_told_whatever_windows_call_them(swapped: frozenset[int]) -> None:
    found = diarize_with_overlap(SPEECH, voices_of(SAID, swapped=swapped), ALIKE)
    floor = [piece for piece in found if not piece.overlapping]
    assert [piece.speaker for piece in floor] == [1, 2]
    assert floor[0].start_s == 1.0
    assert floor[1].end_s == 15.0
    assert floor[0].end_s == floor[1].start_s
    beside = [piece for piece in found if piece.overlapping]
    told = sorted((p.start_s, p.end_s) for p in [*floor, *beside] if p.speaker == 1)
    assert (told[0][0], max(end for _, end in told)) == pytest.approx((1.0, 9.0), abs=0.05)
    told = sorted((p.start_s, p.end_s) for p in [*floor, *beside] if p.speaker == 2)
    assert (told[0][0], max(end for _, end in told)) == pytest.approx((7.0, 15.0), abs=0.05)
    assert sum(p.end_s - p.start_s for p in beside) == pytest.approx(2.0, abs=0.1)
    assert len({piece.segment_id for piece in found}) == len(found)


def test_one_speaker_is_never_beside_oneself() -> None:
    one = Similarity(ALIKE.middles_s, ALIKE.scores[:, :1])
    found = diarize_with_overlap(SPEECH, voices_of(SAID), one)
    assert [(piece.speaker, piece.overlapping) for piece in found] == [(1, False)]


def test_activity_of_a_part_is_that_of_the_whole() -> None:
    heard = voices_of(SAID)
    whole = speaker_activity(heard, ALIKE, 0, heard.frames)
    part = speaker_activity(heard, ALIKE, 300, 520)
    np.testing.assert_allclose(part.speakers, whole.speakers[300:520], atol=1e-6)
    np.testing.assert_allclose(part.overlap, whole.overlap[300:520], atol=1e-6)
    assert whole.speakers[int(4 / STEP_S)] == pytest.approx([0.99, 0.0], abs=0.02)
    assert whole.speakers[int(8 / STEP_S)] == pytest.approx([0.99, 0.99], abs=0.02)
    assert whole.overlap[int(8 / STEP_S)] == pytest.approx(0.99, abs=0.02)
    assert whole.overlap[int(4 / STEP_S)] == pytest.approx(0.0, abs=0.02)


def test_what_else_is_heard_is_speech_but_short_noise_is_not() -> None:
    heard = voices_of(classes((1, 3, FIRST), (3.2, 4, FIRST), (8, 8.06, FIRST), (12, 13, SECOND)))
    found = detected_speech(heard, 20.0)
    assert [pytest.approx(span, abs=0.03) for span in found] == [(1.0, 4.0), (12.0, 13.0)]
    assert detected_speech(heard, 12.5)[-1][1] == 12.5
    assert detected_speech(voices_of(classes()), 20.0) == []


def test_speech_grows_over_what_touches_it_and_keeps_its_place() -> None:
    speech = [SpeechSegment(2.0, 3.0), SpeechSegment(5.0, 6.0), SpeechSegment(9.0, 10.0)]
    grown = join_speech(speech, [(1.0, 1.5), (2.5, 5.5), (9.5, 11.0), (14.0, 15.0)])
    assert grown == [
        SpeechSegment(2.0, 5.0),
        SpeechSegment(5.0, 6.0),
        SpeechSegment(9.0, 11.0),
        SpeechSegment(1.0, 1.5),
        SpeechSegment(14.0, 15.0),
    ]
    assert join_speech(speech, []) == speech
    assert join_speech([], [(1.0, 2.0)]) == [SpeechSegment(1.0, 2.0)]


def test_windows_of_frames_are_those_that_hold_any() -> None:
    heard = voices_of(SAID)
    for first, end in ((0, 1), (124, 125), (125, 126), (499, 500), (500, 501), (0, heard.frames), (700, 900)):
        holding = [
            number
            for number in range(len(heard))
            if heard.window(number).first < end and heard.window(number).end > first
        ]
        assert list(heard.windows_in(first, end)) == holding

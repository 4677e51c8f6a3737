"""Speech that only the voice segmentation detects, told while the session is live."""

from __future__ import annotations

import numpy as np
import pytest

from inference.diarization import FrameGrid, SegmentedWindows, SpeechSegment
from inference.speakers.detected_speech import FIRST_NUMBER, DetectedSpeech

STEP_S = 0.1
GRID = FrameGrid(0.5 * STEP_S, STEP_S)
LENGTH, HOP = 100, 50  # frames: windows of 10 s every 5 s


def heard(*spoken_s: tuple[float, float], windows: int = 1) -> SegmentedWindows:
    """So many windows in which one voice speaks at these times, seconds of the session."""
    segmented = SegmentedWindows(GRID, HOP)
    for _ in range(windows):
        add_window(segmented, *spoken_s)
    return segmented


def add_window(segmented: SegmentedWindows, *spoken_s: tuple[float, float]) -> None:
    """The next window of the same."""
    first = len(segmented) * HOP
    classes = np.zeros((LENGTH, 7), np.float32)
    classes[:, 0] = 1
    for start_s, end_s in spoken_s:
        span = slice(max(0, round(start_s / STEP_S) - first), max(0, round(end_s / STEP_S) - first))
        classes[span, :2] = (0, 1)
    segmented.append(classes)


def spans(segments: dict[int, SpeechSegment]) -> list[tuple[float, float]]:
    return [(round(s.start_s, 6), round(s.end_s, 6)) for s in segments.values()]


def test_speech_that_the_detector_missed_is_a_segment_of_its_own() -> None:
    speech = DetectedSpeech(heard((2.0, 3.0), (6.0, 7.0)))
    found, gone = speech.update(0.0, 10.0, {0: SpeechSegment(5.0, 8.0)}, ended=False)
    assert spans(found) == [(2.0, 3.0)]
    assert gone == set()
    assert all(number >= FIRST_NUMBER for number in found)


def test_a_segment_of_the_detector_grows_over_the_speech_that_touches_it() -> None:
    speech = DetectedSpeech(heard((4.0, 7.0)))
    found, _ = speech.update(0.0, 10.0, {3: SpeechSegment(5.0, 6.0)}, ended=False)
    assert found == {}
    assert spans({3: speech.join(3, SpeechSegment(5.0, 6.0))}) == [(4.0, 7.0)]
    # What the detector hears later of the same segment counts too.
    assert spans({3: speech.join(3, SpeechSegment(5.0, 9.0))}) == [(4.0, 9.0)]
    assert speech.join(4, SpeechSegment(5.0, 6.0)) == SpeechSegment(5.0, 6.0)


@pytest.mark.parametrize("ended", [False, True])
def test_speech_at_the_end_of_the_windows_may_go_on_unless_silence_follows(ended: bool) -> None:
    found, _ = DetectedSpeech(heard((9.0, 10.0))).update(0.0, 10.0, {}, ended=ended)
    assert spans(found) == ([(9.0, 10.0)] if ended else [])


def test_speech_keeps_its_number_while_more_windows_come_and_goes_where_they_say_otherwise() -> None:
    segmented = heard((6.0, 7.0), (8.0, 8.6))
    speech = DetectedSpeech(segmented)
    first, _ = speech.update(0.0, 10.0, {}, ended=False)
    assert spans(first) == [(6.0, 7.0), (8.0, 8.6)]
    add_window(segmented, (6.0, 7.2), (12.0, 13.0))
    # Half of two windows hear it from 7 s on: too little.
    second, gone = speech.update(5.0, 15.0, {}, ended=False)
    assert spans(second) == [(12.0, 13.0)]
    assert gone == {list(first)[1]}
    # What lies before the new windows stays.
    add_window(segmented)
    assert speech.update(10.0, 20.0, {}, ended=False) == ({}, set(second))


def test_speech_that_the_detector_hears_later_is_its_own() -> None:
    segmented = heard((7.0, 8.0))
    speech = DetectedSpeech(segmented)
    first, _ = speech.update(0.0, 10.0, {}, ended=False)
    add_window(segmented, (7.0, 8.0))
    found, gone = speech.update(5.0, 15.0, {0: SpeechSegment(7.5, 9.0)}, ended=False)
    assert (found, gone) == ({}, set(first))

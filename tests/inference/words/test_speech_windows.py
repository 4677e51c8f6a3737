"""Speech packed into windows: none too long, nothing of it lost or heard twice, cut where nobody speaks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.diarization.speech_segments import SpeechSegment, SpeechSegmenter
from inference.models import SAMPLE_RATE_HZ
from inference.session.session import BLOCK_WINDOWS, MARGIN_SAMPLES
from inference.stages.audio_buffer import AudioBuffer
from inference.words.speech_windows import (
    CONTEXT_SAMPLES,
    MAX_KEPT_PAUSE_SAMPLES,
    MAX_WAIT_SAMPLES,
    Span,
    SpeechPacker,
    SpeechWindow,
)

VAD_WINDOW = 512
BLOCK = BLOCK_WINDOWS * VAD_WINDOW
# Short, so that many are filled.
WINDOW_S = 4.0
LONGEST = int(WINDOW_S * SAMPLE_RATE_HZ)
Probabilities = NDArray[np.float32]


def packed(
    probabilities: Probabilities, *, window_s: float = WINDOW_S, chunk: int = BLOCK, cut_off: int = 0
) -> tuple[list[SpeechWindow], list[SpeechSegment]]:
    """The windows and segments of a session, as Session feeds a packer. Each sample is its own place.

    ``chunk``: samples that come at once; ``cut_off``: samples that its last window of the detector lacks.
    """
    packer, segmenter, audio = (
        SpeechPacker(window_s, VAD_WINDOW),
        SpeechSegmenter(VAD_WINDOW / SAMPLE_RATE_HZ),
        AudioBuffer(),
    )
    windows: list[SpeechWindow] = []
    segments: list[SpeechSegment] = []
    total, heard = len(probabilities) * VAD_WINDOW - cut_off, 0

    def hear(count: int) -> None:
        nonlocal heard
        now = probabilities[heard // VAD_WINDOW : heard // VAD_WINDOW + count]
        heard += count * VAD_WINDOW
        packer.add_speech_probabilities(now)
        needed = heard - MARGIN_SAMPLES
        windows.extend(packer.overdue())
        for segment in segmenter.push(now):
            windows.extend(packer.close_segment(segment, audio))
            segments.append(segment)
        if (under_way := segmenter.open_segment) is not None:
            more, first = packer.extend_segment(under_way, audio)
            windows.extend(more)
            needed = min(needed, first)
        else:
            packer.abandon_segment()
        audio.drop_before(max(0, needed))

    for start in range(0, total, chunk):
        audio.append(np.arange(start, min(total, start + chunk), dtype=np.float32))
        while audio.end - heard >= BLOCK:
            hear(BLOCK_WINDOWS)
    if rest := -(-(audio.end - heard) // VAD_WINDOW):
        hear(rest)
    for segment in segmenter.finish(total / SAMPLE_RATE_HZ):
        windows.extend(packer.close_segment(segment, audio))
        segments.append(segment)
    windows.extend(packer.finish())
    return windows, segments


def spans_of(windows: list[SpeechWindow]) -> list[Span]:
    return [span for window in windows for span in window.spans]


def shape(windows: list[SpeechWindow]) -> list[list[tuple[int, int]]]:
    return [[(span.start, span.end) for span in window.spans] for window in windows]


def run_of(speech: bool, windows: int, level: float) -> Probabilities:
    return np.full(windows, 0.6 + 0.4 * level if speech else 0.09 * level, np.float32)


LENGTHS = st.one_of(st.integers(1, 12), st.integers(1, 60), st.integers(40, 400))
RUNS = st.lists(st.tuples(st.booleans(), LENGTHS, st.floats(0, 1, width=16)), min_size=1, max_size=12)
SESSIONS = RUNS.map(lambda runs: np.concatenate([run_of(*run) for run in runs]))
CUT_OFF = st.integers(0, VAD_WINDOW - 1)


@given(SESSIONS, CUT_OFF)
@settings(max_examples=150, deadline=None)
def test_no_window_is_too_long_and_all_come_in_the_order_of_time(probabilities: Probabilities, cut_off: int) -> None:
    windows, _ = packed(probabilities, cut_off=cut_off)
    for window in windows:
        assert 0 < len(window.samples) <= LONGEST
        assert (window.start, window.end) == (window.spans[0].start, window.spans[-1].end)
    for before, after in pairwise(spans_of(windows)):
        assert before.end <= after.start, "nothing is heard twice"
    for span in spans_of(windows):
        assert np.array_equal(span.samples, np.arange(span.start, span.end)), "what is heard lies where it says"


@given(SESSIONS, CUT_OFF)
@settings(max_examples=150, deadline=None)
def test_all_speech_is_heard_and_of_pauses_little(probabilities: Probabilities, cut_off: int) -> None:
    windows, segments = packed(probabilities, cut_off=cut_off)
    total = len(probabilities) * VAD_WINDOW - cut_off
    heard, spoken = np.zeros(total, bool), np.zeros(total, bool)
    for span in spans_of(windows):
        heard[span.start : span.end] = True
    for segment in segments:
        spoken[int(segment.start_s * SAMPLE_RATE_HZ) : int(segment.end_s * SAMPLE_RATE_HZ)] = True
    assert heard[spoken].all(), "nothing of a segment is lost"
    # Beyond: what is around segments, joined pauses, and what a cut took of a segment that was none after all.
    beyond = np.flatnonzero(np.diff(np.concatenate([[0], (heard & ~spoken).astype(np.int8), [0]])))
    seemed_to_begin = 2 * BLOCK
    for first, end in beyond.reshape(-1, 2):
        assert end - first <= MAX_KEPT_PAUSE_SAMPLES + 2 * CONTEXT_SAMPLES + seemed_to_begin


@given(SESSIONS, CUT_OFF, st.sampled_from([333, 1600, SAMPLE_RATE_HZ, 10**9]))
@settings(max_examples=60, deadline=None)
def test_windows_are_the_same_however_audio_comes(probabilities: Probabilities, cut_off: int, chunk: int) -> None:
    assert shape(packed(probabilities, cut_off=cut_off, chunk=chunk)[0]) == shape(
        packed(probabilities, cut_off=cut_off)[0]
    )


@pytest.mark.parametrize("cut_off", [0, 200, 511])
@pytest.mark.parametrize("missing", [0, 1, 200, 511])
def test_speech_that_ends_the_session_as_a_window_is_full_is_heard(cut_off: int, missing: int) -> None:
    """A window that is full but for a part of what the detector is given after the end."""
    probabilities = np.full(20 * BLOCK_WINDOWS, 0.9, np.float32)
    total = len(probabilities) * VAD_WINDOW - cut_off
    windows, _ = packed(probabilities, window_s=(total + missing) / SAMPLE_RATE_HZ, cut_off=cut_off)
    assert spans_of(windows)[0].start == 0
    assert spans_of(windows)[-1].end == total
    assert len(windows) == 1


def test_long_speech_is_cut_where_it_is_least_likely() -> None:
    probabilities = np.full(5 * 60 * SAMPLE_RATE_HZ // VAD_WINDOW, 0.9, np.float32)
    likely = np.random.default_rng(5).uniform(0.3, 1, len(probabilities)).astype(np.float32)
    probabilities = np.maximum(probabilities * likely, 0.2).astype(np.float32)
    probabilities[0] = 0.9
    windows, (only,) = packed(probabilities, window_s=28.0)
    longest = 28 * SAMPLE_RATE_HZ
    assert (only.start_s, len(windows) > 10) == (0.0, True)
    for window in windows[:-1]:
        assert 0.6 * longest <= len(window.samples) <= longest
        in_reach = slice(-(-int(window.start + 0.6 * longest) // VAD_WINDOW), (window.start + longest) // VAD_WINDOW)
        assert probabilities[window.end // VAD_WINDOW] == probabilities[in_reach].min()
        assert window.end % VAD_WINDOW == VAD_WINDOW // 2, "in its middle"
    assert all(before.end == after.start for before, after in pairwise(windows))


def spoken(*lengths_s: float) -> Probabilities:
    """Speech and pauses by turns, seconds."""
    return np.concatenate(
        [run_of(place % 2 == 0, round(s * SAMPLE_RATE_HZ / VAD_WINDOW), 0.5) for place, s in enumerate(lengths_s)]
    )


def test_a_full_window_is_cut_at_its_longest_late_pause() -> None:
    # Pauses after 3, 11, 15 and 19 s of speech: the first is the longest, but too early; the last comes too late.
    windows, _ = packed(spoken(3, 5, 8, 1.5, 4, 3, 4, 2, 9, 1), window_s=20.0)
    assert len(windows) == 2
    pause_s = 3 + 5 + 8 + 1.5 + 4
    assert windows[0].end / SAMPLE_RATE_HZ == pytest.approx(pause_s, abs=0.4)
    assert windows[1].start / SAMPLE_RATE_HZ == pytest.approx(pause_s + 3, abs=0.4)
    assert [len(window.spans) for window in windows] == [3, 2]


def test_short_pauses_are_heard_and_long_ones_left_out() -> None:
    (window,), segments = packed(spoken(1, 0.7, 1, 2, 0.5, 5), window_s=20.0)
    assert len(segments) == 3
    assert len(window.spans) == 2
    assert len(window.spans[0].samples) / SAMPLE_RATE_HZ == pytest.approx(2.7 + 0.2, abs=0.1)
    assert window.spans[1].start / SAMPLE_RATE_HZ == pytest.approx(4.7 - 0.3, abs=0.1)


def test_where_little_is_said_a_window_waits_no_longer_than_it_may() -> None:
    longest_s = MAX_WAIT_SAMPLES / SAMPLE_RATE_HZ
    apart_s = longest_s / 3
    windows, _ = packed(spoken(*[0.5, apart_s - 0.5] * 12), window_s=28.0)
    starts_s = [window.start / SAMPLE_RATE_HZ for window in windows]
    assert [len(window.spans) for window in windows] == [3, 3, 3, 3]
    assert np.diff(starts_s) == pytest.approx([longest_s] * 3, abs=0.5)
    assert all(window.end - window.start < MAX_WAIT_SAMPLES for window in windows)


@given(SESSIONS, st.lists(st.tuples(st.floats(-0.5, 5), st.floats(0, 2)), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_a_word_lies_within_the_span_that_it_was_heard_in(
    probabilities: Probabilities, words: list[tuple[float, float]]
) -> None:
    for window in packed(probabilities)[0]:
        for start_s, lasts_s in words:
            begins_s, ends_s = window.to_session_times(start_s, start_s + lasts_s)
            (span,) = [
                span
                for span in window.spans
                if span.start / SAMPLE_RATE_HZ <= begins_s <= ends_s <= span.end / SAMPLE_RATE_HZ
            ]
            middle = int((start_s + lasts_s / 2) * SAMPLE_RATE_HZ)
            if 0 <= middle < len(window.samples):
                assert span.start <= window.samples[middle] <= span.end


def test_words_keep_their_order_and_their_time() -> None:
    spans = (Span(16_000, np.zeros(16_000, np.float32)), Span(48_000, np.zeros(32_000, np.float32)))
    window = SpeechWindow(spans, np.ones(126, np.bool_), 512)
    assert window.to_session_times(0.25, 0.5) == (1.25, 1.5)
    assert window.to_session_times(1.0, 2.5) == (3.0, 4.5)
    assert window.to_session_times(0.75, 1.125) == (1.75, 2.0), "it ends where the span ends that holds its middle"
    assert window.to_session_times(0.9, 1.5) == (3.0, 3.5)
    assert window.to_session_times(2.5, 9.0) == (4.5, 5.0)
    places = [window.to_session_times(s / 10, s / 10 + 0.3) for s in range(30)]
    assert places == sorted(places)


def test_what_waits_begins_with_the_oldest_speech_and_silence_waits_for_nothing() -> None:
    packer, audio = SpeechPacker(20.0, VAD_WINDOW), AudioBuffer()
    audio.append(np.zeros(10 * SAMPLE_RATE_HZ, np.float32))
    packer.add_speech_probabilities(np.zeros(300, np.float32))
    assert packer.first_pending is None
    assert packer.extend_segment(SpeechSegment(1.0, 2.0), audio) == ([], int(0.8 * SAMPLE_RATE_HZ))
    assert packer.first_pending == int(0.8 * SAMPLE_RATE_HZ)
    packer.abandon_segment()
    assert (packer.first_pending, packer.finish()) == (None, [])
    assert packer.close_segment(SpeechSegment(1.0, 2.0), audio) == []
    packer.extend_segment(SpeechSegment(5.0, 6.0), audio)
    assert packer.first_pending == int(0.8 * SAMPLE_RATE_HZ)
    (window,) = packer.finish()
    assert (window.start, window.end) == (12_800, 35_200)

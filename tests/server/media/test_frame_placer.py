"""Placement of frames by their timestamps, frame by frame; whole files are in ``test_transcode_times``."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.media.frame_placer import CONFIRMING_FRAMES, MAX_CLOCKS, FramePlacer, PlacedFrame, TimedFrame

FRAME_S, LIMIT_S = 0.1, 100.0


@dataclass
class Result:
    """Where frames came to lie, and how long the track became."""

    placed: list[PlacedFrame]
    now_s: float

    @property
    def frames(self) -> list[int]:
        return [one.frame for one in self.placed]

    @property
    def silences(self) -> dict[int, float]:
        return {one.frame: one.after_silence_s for one in self.placed if one.after_silence_s is not None}


def placed(*times_s: float | None, limit_s: float = LIMIT_S) -> Result:
    """Frames of 100 ms, numbered, at the given times."""
    line = FramePlacer(limit_s)
    found = [one for number, time_s in enumerate(times_s) for one in line.place(TimedFrame(number, time_s, FRAME_S))]
    return Result(found + line.finish(), line.end_s)


def from_s(start_s: float, count: int = CONFIRMING_FRAMES + 5) -> list[float]:
    return [start_s + FRAME_S * number for number in range(count)]


def test_frames_that_follow_one_another_follow_one_another() -> None:
    result = placed(*from_s(0, 5))
    assert (result.frames, result.silences) == ([0, 1, 2, 3, 4], {})
    assert result.now_s == pytest.approx(0.5)


@given(st.lists(st.floats(-0.02, 0.02), min_size=1, max_size=50))
def test_jitter_is_ignored_and_never_adds_up(jitter: list[float]) -> None:
    times = [0.0, *(FRAME_S * number + off for number, off in enumerate(jitter, start=1))]
    result = placed(*times)
    assert (len(result.frames), result.silences) == (len(times), {})
    assert result.now_s == pytest.approx(FRAME_S * len(times))


def test_a_track_that_begins_late_begins_with_silence_and_rounding_is_none() -> None:
    assert placed(*from_s(2)).silences == {0: pytest.approx(2.0)}
    assert placed(*from_s(0.004)).silences == {}


def test_a_gap_is_silence() -> None:
    result = placed(*from_s(0, 5), *from_s(3))
    assert result.silences == {5: pytest.approx(3.0)}
    assert result.now_s == pytest.approx(3 + FRAME_S * len(from_s(3)))


def test_one_frame_with_a_wrong_time_is_appended_and_costs_nothing() -> None:
    times = from_s(0, 40)
    times[20] = 77.0
    result = placed(*times)
    assert (result.frames, result.silences) == (list(range(40)), {})
    assert result.now_s == pytest.approx(4.0)


def test_of_what_comes_twice_the_second_is_dropped() -> None:
    times = from_s(2)
    result = placed(*from_s(2, 10), *[2.5 + FRAME_S * number for number in range(CONFIRMING_FRAMES + 5)])
    assert result.frames == [*range(10), *range(15, 10 + CONFIRMING_FRAMES + 5)]
    assert len(times) == CONFIRMING_FRAMES + 5


def test_a_clock_that_begins_anew_goes_on_where_the_audio_is() -> None:
    result = placed(*from_s(0), *from_s(0))
    assert (len(result.frames), result.silences) == (2 * len(from_s(0)), {})


def test_a_jump_beyond_the_longest_recording_writes_nothing() -> None:
    result = placed(*from_s(0), *from_s(1e9))
    assert (len(result.frames), result.silences) == (2 * len(from_s(0)), {})
    assert result.now_s < LIMIT_S


def test_a_clock_that_begins_anew_too_often_is_believed_no_more() -> None:
    starts = [1e6 * number for number in range(1, MAX_CLOCKS + 3)]
    result = placed(*(time for start in starts for time in from_s(start)), *from_s(50))
    assert len(result.frames) == (len(starts) + 1) * len(from_s(0))
    assert result.silences == {}


def test_frames_without_times_follow() -> None:
    result = placed(0.0, None, None, 0.3, None)
    assert (result.frames, result.silences) == ([0, 1, 2, 3, 4], {})
    assert result.now_s == pytest.approx(0.5)


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.floats(0, 2 * LIMIT_S)), max_size=60))
def test_whatever_is_stated_frames_stay_in_order_and_silence_within_the_limit(times: list[float | None]) -> None:
    result = placed(*times)
    assert result.frames == sorted(set(result.frames))
    assert all(0 <= start <= LIMIT_S for start in result.silences.values())
    assert result.now_s <= LIMIT_S + FRAME_S * (len(times) + 1)


def test_a_container_s_time_is_the_track_s_unless_it_cannot_be() -> None:
    line = FramePlacer(LIMIT_S)
    line.place(TimedFrame(0, 0.0, FRAME_S))
    assert (line.track_time_s(5), line.track_time_s(0.05), line.track_time_s(1e9)) == (5, line.end_s, line.end_s)

"""Windows of a segment of speech: planned as soon as they are covered, and all of it is covered in the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.diarization.speech_segments import SpeechSegment
from inference.diarization.windows import MIN_REST_S, MIN_S, EncoderWindow, WindowPlan

LENGTH_S, HOP_S = 1.5, 0.5


def planned(start_s: float, end_s: float, *so_far_s: float) -> list[EncoderWindow]:
    plan = WindowPlan(7, LENGTH_S, HOP_S)
    found = [window for end in so_far_s for window in plan.grow(SpeechSegment(start_s, end))]
    return found + plan.finish(SpeechSegment(start_s, end_s))


def test_a_segment_no_longer_than_a_window_is_one_window() -> None:
    assert planned(2, 3) == [EncoderWindow(2, 3, 7)]
    assert planned(2, 3.5, 2.5, 3.5) == [EncoderWindow(2, 3.5, 7)]


def test_a_longer_one_has_a_window_each_hop_and_one_at_its_end() -> None:
    edges_s = [edge_s for window in planned(0, 2.7) for edge_s in (window.start_s, window.end_s)]
    assert edges_s == pytest.approx([0, 1.5, 0.5, 2.0, 1.0, 2.5, 1.2, 2.7])
    # A rest too short to matter has none of its own.
    assert [window.end_s for window in planned(0, 2.5 + MIN_REST_S / 2)] == [1.5, 2.0, 2.5]


@given(st.floats(0, 100), st.floats(0.01, 20), st.lists(st.floats(0, 1), max_size=5))
def test_windows_are_the_same_however_soon_they_were_asked_for(
    start_s: float, seconds: float, shares: list[float]
) -> None:
    end_s = start_s + seconds
    at_once = planned(start_s, end_s)
    assert planned(start_s, end_s, *sorted(start_s + share * seconds for share in shares)) == at_once
    assert all(start_s <= window.start_s < window.end_s <= end_s + 1e-9 for window in at_once)
    covered_s = max(window.end_s for window in at_once)
    assert covered_s >= end_s - MIN_REST_S - 1e-9


@pytest.mark.parametrize(
    ("start_s", "end_s", "processed"), [(1, 1.4, (1, 1.4)), (1, 1.1, (0.85, 1.25)), (0, 0.1, (-0.15, 0.25))]
)
def test_what_an_encoder_hears_is_never_too_short(start_s: float, end_s: float, processed: tuple[float, float]) -> None:
    window = EncoderWindow(start_s, end_s, 1)
    assert window.encoder_span() == pytest.approx(processed)
    assert window.encoder_span()[1] - window.encoder_span()[0] >= MIN_S - 1e-9

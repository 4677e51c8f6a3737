"""The audio that a session still needs: samples keep their numbers, whatever was dropped before them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.models import SAMPLE_RATE_HZ
from inference.stages import AudioBuffer


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 250)), max_size=20))
def test_a_sample_has_its_number_whatever_came_and_went(steps: list[tuple[int, int]]) -> None:
    buffer, dropped = AudioBuffer(), 0
    for count, before in steps:
        buffer.append(np.arange(buffer.end, buffer.end + count, dtype=np.float32))
        buffer.drop_before(before)
        # What has not come cannot be dropped.
        dropped = max(dropped, min(before, buffer.end))
        assert np.array_equal(buffer.span(dropped, buffer.end), np.arange(dropped, buffer.end, dtype=np.float32))
    assert buffer.end == sum(count for count, _ in steps)


def test_a_span_reaches_as_far_as_there_is_audio() -> None:
    buffer = AudioBuffer()
    buffer.append(np.arange(10, dtype=np.float32))
    assert buffer.span(-5, 3).tolist() == [0, 1, 2]
    assert buffer.span(8, 100).tolist() == [8, 9]
    assert buffer.span(10, 20).tolist() == buffer.span(5, 5).tolist() == []


def test_what_was_dropped_is_an_error_and_not_other_audio() -> None:
    buffer = AudioBuffer()
    buffer.append(np.arange(10, dtype=np.float32))
    buffer.drop_before(4)
    buffer.drop_before(2)
    with pytest.raises(ValueError, match="sample 3 was dropped; the buffer begins at 4"):
        buffer.span(3, 6)
    assert buffer.span(4, 6).tolist() == [4, 5]


def test_times_are_samples_at_16_kilohertz() -> None:
    buffer = AudioBuffer()
    buffer.append(np.arange(SAMPLE_RATE_HZ, dtype=np.float32))
    assert buffer.span_s(0.25, 0.25 + 3 / SAMPLE_RATE_HZ).tolist() == [4000, 4001, 4002]
    assert buffer.span_s(-1, 2 / SAMPLE_RATE_HZ).tolist() == [0, 1]

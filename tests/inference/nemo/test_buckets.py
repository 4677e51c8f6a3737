"""Sizes of passes: the smallest that is large enough, and few of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.nemo.buckets import ALIGNMENT, Bucket, Buckets, aligned, buckets_for
from inference.sortformer import settings_for


@given(st.integers(1, 200), st.integers(1, 700), st.integers(1, 128), st.integers(1, 616))
def test_a_size_fits_and_no_smaller_one_does(rows: int, frames: int, max_rows: int, max_frames: int) -> None:
    buckets = buckets_for(max_rows, max_frames)
    found = buckets.fitting(rows, frames)
    large_enough = [bucket for bucket in buckets if bucket.rows >= rows and bucket.frames >= frames]
    assert found == min(large_enough, default=None)
    if rows <= max_rows and frames <= max_frames:
        assert found is not None


@given(st.integers(1, 300))
def test_the_largest_size_is_the_one_that_is_asked_for(max_rows: int) -> None:
    sizes = list(buckets_for(max_rows, 390))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == Bucket(max_rows, 392)
    assert len(sizes) == len(set(sizes)) == len(buckets_for(max_rows, 390))
    # Each takes seconds to minutes at the start.
    assert len(sizes) <= 7


@given(st.integers(1, 10_000))
def test_frames_are_rounded_up_to_a_multiple(frames: int) -> None:
    assert aligned(frames) % ALIGNMENT == 0
    assert frames <= aligned(frames) < frames + ALIGNMENT


def test_several_lengths_are_tried_by_size() -> None:
    buckets = Buckets((2, 8), (40, 80))
    assert buckets.fitting(2, 41) == Bucket(2, 80)
    assert buckets.fitting(3, 40) == Bucket(8, 40)
    assert buckets.fitting(9, 40) is None
    assert buckets.fitting(1, 81) is None
    assert Buckets((), ()).fitting(1, 8) is None


@pytest.mark.parametrize(("latency", "frames"), [("0.32s", 381), ("1.04s", 390), ("10s", 438), ("30.4s", 609)])
def test_the_longest_step_has_full_caches_and_a_chunk_with_its_context(latency: str, frames: int) -> None:
    assert settings_for(latency, 4).max_frames == frames

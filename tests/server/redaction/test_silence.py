"""Redacted ranges of decoded audio are silent, and nothing else is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.redaction import silence_chunk, silence_ranges

RATE_HZ = 1000


async def chunks_of(pcm: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]


@given(
    ranges=st.lists(st.tuples(st.integers(0, 130), st.integers(0, 130)).map(lambda r: [min(r), max(r)]), max_size=4),
    size=st.integers(1, 60),
    start_ms=st.integers(0, 40),
)
async def test_ranges_are_silent_however_audio_is_cut(ranges: list[list[int]], size: int, start_ms: int) -> None:
    pcm = np.full(100, 7, "<i2").tobytes()
    out = b"".join(
        [chunk async for chunk in silence_ranges(chunks_of(pcm, size), ranges, RATE_HZ, start_us=start_ms * 1000)]
    )
    samples = np.frombuffer(out, "<i2")
    silent = {ms for start, end in ranges for ms in range(start, end)}
    assert [bool(value) for value in samples] == [start_ms + index not in silent for index in range(100)]


def test_parts_of_samples_are_silenced() -> None:
    pcm = np.ones(20, "<i2").tobytes()
    silenced = np.frombuffer(silence_chunk(pcm, 0, [[1, 2]], 8_100), "<i2")
    assert np.flatnonzero(silenced == 0).tolist() == list(range(8, 17))


def test_a_chunk_without_ranges_is_the_same() -> None:
    pcm = b"\1\0" * 10
    assert silence_chunk(pcm, 0, [[500, 900]], RATE_HZ) is pcm

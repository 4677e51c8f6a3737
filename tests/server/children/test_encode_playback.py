"""What the encoder of playable sound hears: parts mixed where they begin, silent ranges, and peaks."""

from __future__ import annotations

import io

import numpy as np
import pytest

from server.children import encode_playback
from server.children.encode_playback import RATE_HZ, encode, mixed_blocks


def part(samples: list[int], first: int) -> tuple[io.BytesIO, int, int]:
    return io.BytesIO(np.array(samples, np.int16).tobytes()), first, len(samples)


@pytest.mark.parametrize("block", [1, 3, 100], ids=["of one", "of three", "of all"])
def test_parts_are_added_where_they_begin_whatever_the_blocks(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode_playback, "BLOCK", block)
    parts = [part([1, 2, 3, 4], 0), part([10, 20, 30], 2), part([30_000], 6), part([30_000], 6)]
    mix = np.concatenate(list(mixed_blocks(parts, [], 8)))
    assert mix.tolist() == [1, 2, 13, 24, 30, 0, 32767, 0]


def test_ranges_are_silent_to_their_last_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode_playback, "BLOCK", 100)
    mix = np.concatenate(list(mixed_blocks([part([7] * 320, 0)], [[5, 10], [19, 40]], 320)))
    silent = np.flatnonzero(mix == 0)
    assert silent.tolist() == [*range(80, 160), *range(304, 320)]


def test_a_peak_stands_for_each_period_and_there_are_never_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.zeros(RATE_HZ, np.int16)
    samples[100], samples[RATE_HZ - 1] = -32768, 16384
    sound, peaks = io.BytesIO(), io.BytesIO()
    assert encode(iter(np.split(samples, [333, 5000])), RATE_HZ, sound, peaks) == 50
    assert list(peaks.getvalue()) == [255, *[0] * 18, 127]
    assert sound.getvalue().startswith(b"\x1a\x45\xdf\xa3")
    monkeypatch.setattr(encode_playback, "MAX_PEAKS", 4)
    sound, peaks = io.BytesIO(), io.BytesIO()
    assert encode(iter([samples]), RATE_HZ, sound, peaks) == 250
    assert list(peaks.getvalue()) == [255, 0, 0, 127]

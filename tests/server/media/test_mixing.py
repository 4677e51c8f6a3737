"""Tracks mixed into one: a sum without clipping, and no track twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from server.media import mixing
from server.media.mixing import mix, select_distinct_files
from server.media.pcm_file import PcmFile
from tests.recordings import RATE_HZ, sample_pcm


def nothing() -> None:
    """There is nobody to tell that work goes on."""


def written(folder: Path, *tracks: np.ndarray) -> list[PcmFile]:
    """Files of int16 samples."""
    files = []
    for number, samples in enumerate(tracks):
        file = PcmFile(folder / f"{number}.raw", 600)
        file.write(np.asarray(samples / 32768, np.float32))
        file.close()
        files.append(file)
    return files


def read(path: Path) -> list[int]:
    return [int(sample) for sample in np.fromfile(path, "<i2")]


def test_a_mix_is_the_sum_and_as_long_as_the_longest(tmp_path: Path) -> None:
    files = written(tmp_path, np.array([100, -200, 300, 7]), np.array([5, 5]), np.zeros(0))
    assert mix(files, tmp_path / "mix", nothing) == 4
    assert read(tmp_path / "mix") == [105, -195, 300, 7]


def test_a_sum_beyond_full_scale_is_lowered_as_a_whole(tmp_path: Path) -> None:
    files = written(tmp_path, np.array([30_000, 1_000]), np.array([30_000, 1_000]))
    mix(files, tmp_path / "mix", nothing)
    assert read(tmp_path / "mix") == [32_767, round(2_000 * 32_767 / 60_000)]


def test_the_lowest_sample_alone_is_lowered_to_what_has_a_counterpart(tmp_path: Path) -> None:
    files = written(tmp_path, np.array([-32_768, 0]))
    mix(files, tmp_path / "mix", nothing)
    assert read(tmp_path / "mix") == [-32_767, 0]


def test_a_long_mix_is_the_same_over_the_seams(tmp_path: Path) -> None:
    length = mixing.CHUNK_SAMPLES + 1234
    random = np.random.default_rng(0)
    first, second = random.integers(-9000, 9000, length), random.integers(-9000, 9000, mixing.CHUNK_SAMPLES - 5)
    files = written(tmp_path, first, second)
    assert mix(files, tmp_path / "mix", nothing) == length
    expected = first.copy()
    expected[: len(second)] += second
    assert np.array_equal(np.fromfile(tmp_path / "mix", "<i2"), expected)


def test_silent_tracks_are_left_out_unless_all_are(tmp_path: Path) -> None:
    silence, sound = np.zeros(100), np.arange(100) * 50
    files = written(tmp_path, silence, sound, silence)
    assert select_distinct_files(files, nothing) == [files[1]]
    assert select_distinct_files(written(tmp_path, silence, silence), nothing)[0].path.name == "0.raw"
    assert select_distinct_files([], nothing) == []


@pytest.mark.parametrize("level", [1.0, 0.25])
def test_the_same_recording_at_another_level_is_the_same(tmp_path: Path, level: float) -> None:
    speech = sample_pcm()[: 20 * RATE_HZ]
    other = sample_pcm()[20 * RATE_HZ : 40 * RATE_HZ]
    files = written(tmp_path, speech, np.round(speech * level), other)
    assert select_distinct_files(files, nothing) == [files[0], files[2]]

"""Mixing of a recording's tracks, and removal of duplicates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from server.media.pcm_file import BYTES_PER_SAMPLE, PcmFile
from server.media.similarity import LevelledFile, is_same_recording

# 4 MB of int32 at a time.
CHUNK_SAMPLES = 1024 * 1024
FULL_SCALE = 32767


def select_distinct_files(files: Sequence[PcmFile], working: Callable[[], None]) -> list[PcmFile]:
    """Return the files with audio that no earlier one duplicates; the first file if all are silent.

    Args:
        working: called between steps that take seconds.
    """
    audible = [file for file in files if not file.silent]
    if len(audible) < 2:
        return audible or list(files[:1])
    distinct: list[tuple[PcmFile, LevelledFile]] = []
    for file in audible:
        working()
        candidate = LevelledFile(file.path)
        for _, other in distinct:
            if is_same_recording(other, candidate, working):
                break
        else:
            distinct.append((file, candidate))
    return [file for file, _ in distinct]


def mix(files: Sequence[PcmFile], target: Path, working: Callable[[], None]) -> int:
    """Write the sum of the files to ``target`` and return its length in samples.

    A sum beyond full scale is scaled down by one factor for the whole file, which avoids clipping and preserves the
    dynamics.
    """
    samples = max(file.samples for file in files)
    loudest = 1
    for first in range(0, samples, CHUNK_SAMPLES):
        working()
        loudest = max(loudest, int(np.abs(_sum(files, first)).max(initial=0)))
    gain = min(1.0, FULL_SCALE / loudest)
    with target.open("wb") as out:
        for first in range(0, samples, CHUNK_SAMPLES):
            working()
            total = _sum(files, first)
            out.write((total if gain == 1 else np.round(total * gain)).astype("<i2").tobytes())
    return samples


def _sum(files: Sequence[PcmFile], first: int) -> np.ndarray:
    """Return the sum of the next samples of all files, int32."""
    total = np.zeros(min(CHUNK_SAMPLES, max(file.samples for file in files) - first), np.int32)
    for file in files:
        part = np.fromfile(file.path, "<i2", CHUNK_SAMPLES, offset=min(first, file.samples) * BYTES_PER_SAMPLE)
        total[: len(part)] += part
    return total

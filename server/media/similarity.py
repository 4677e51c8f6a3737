"""Detection of duplicate audio despite differences of level, delay and codec."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile, zip_longest
from pathlib import Path
from statistics import median
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from server.media.resampling import RATE_HZ

# Seconds quieter than this (-50 dBFS) are not compared.
AUDIBLE_RMS = 32768 * 10 ** (-50 / 20)
# Number of seconds with sound on either file that decide on a pair.
COMPARED_SECONDS = 10
# Copies of a mix may pass through different codecs; two people in a room hear each other faintly.
SAME_CORRELATION = 0.9
# Less than this in a single second means that one file has another voice as well. A codec at 8 kbit/s still reaches
# 0.85.
OTHER_CORRELATION = 0.8
# Maximum change of the level difference between two copies.
SAME_RATIO_DB = 6.0
# Maximum delay between two copies.
MAX_SHIFT = RATE_HZ // 2
# Share of both signals' energy below which an overlap contains only rounding errors.
MIN_OVERLAP = 1e-3
# A shorter last span is not compared.
MIN_SPAN = RATE_HZ // 10

Samples = NDArray[np.int16]


def rms(samples: NDArray[Any]) -> float:
    """Return the root mean square, 0..32768."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def correlation(a: Samples, b: Samples) -> float:
    """Return the highest normalised cross-correlation of two equally long spans at shifts of up to 0.5 s, -1..1."""
    return float(np.max(_correlations(a, b)[0]))


def best_shift(a: Samples, b: Samples) -> tuple[float, int]:
    """Return the normalised cross-correlation furthest from 0, -1..1, and its shift: the delay of ``a``, samples."""
    found, shifts = _correlations(a, b)
    best = int(np.argmax(np.abs(found)))
    return float(found[best]), int(shifts[best])


def _correlations(a: Samples, b: Samples) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the normalised cross-correlation at every shift, and the shifts.

    Normalised over the overlap only, so that shifting costs nothing; overlaps with almost no energy are suppressed.
    """
    x, y = a.astype(np.float64), b.astype(np.float64)
    size = 1 << (len(x) + len(y)).bit_length()
    cross = np.fft.irfft(np.fft.rfft(x, size) * np.conj(np.fft.rfft(y, size)), size)
    n = len(x)
    max_shift = min(MAX_SHIFT, n - 1)
    shifts = np.arange(-max_shift, max_shift + 1)
    energy_x, energy_y = np.concatenate([[0], np.cumsum(x**2)]), np.concatenate([[0], np.cumsum(y**2)])
    # At shift s, x[s:] meets y[:n-s]; at -s the reverse.
    from_x, to_x = np.maximum(shifts, 0), n + np.minimum(shifts, 0)
    from_y, to_y = np.maximum(-shifts, 0), n - np.maximum(shifts, 0)
    overlap = np.sqrt((energy_x[to_x] - energy_x[from_x]) * (energy_y[to_y] - energy_y[from_y]))
    total_energy = np.sqrt(energy_x[-1] * energy_y[-1])
    return cross[shifts] / np.maximum(overlap, MIN_OVERLAP * total_energy + 1e-9), shifts


class LevelledFile:
    """An s16le mono 16 kHz file with the level of each of its seconds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            seconds = (np.frombuffer(data, "<i2") for data in iter(lambda: file.read(RATE_HZ * 2), b""))
            self.loudness = [rms(second) for second in takewhile(lambda second: len(second) >= MIN_SPAN, seconds)]
            """RMS of each second, 0..32768; the last may be shorter."""

    def louder(self, other: LevelledFile) -> list[float]:
        """Return the higher RMS of both files for each second."""
        return [max(pair) for pair in zip_longest(self.loudness, other.loudness, fillvalue=0.0)]


def is_same_recording(a: LevelledFile, b: LevelledFile, working: Callable[[], None]) -> bool:
    """Return whether two files carry the same audio throughout, in either polarity.

    A sample of seconds decides on the similarity and delay; then every second must agree, since a microphone equals the
    mix of a meeting while nobody else speaks.

    Args:
        working: called repeatedly, since long recordings take seconds.
    """
    loudness = a.louder(b)
    audible = [second for second, loud in enumerate(loudness) if loud >= AUDIBLE_RMS]
    with a.path.open("rb") as first_file, b.path.open("rb") as second_file:

        def read_pair(second: int) -> tuple[Samples, Samples]:
            working()
            return _read_second(first_file, second), _read_second(second_file, second)

        if not audible:
            return all(np.array_equal(*read_pair(second)) for second in range(len(loudness)))
        chosen = audible[:: max(1, len(audible) // COMPARED_SECONDS)]
        found = [best_shift(*read_pair(second)) for second in chosen]
        similarity = median(value for value, _ in found)
        if abs(similarity) < SAME_CORRELATION:
            return False
        copy = _CopyRelation(int(median(shift for _, shift in found)), math.copysign(1, similarity))
        copy.louder_db = median(copy.compare(*read_pair(second))[1] for second in chosen)
        return all(copy.agrees(*read_pair(second)) for second in audible)


@dataclass
class _CopyRelation:
    """The relation between two apparently identical recordings."""

    shift: int
    """Delay of the first, samples."""
    sign: float
    """-1 if the polarity is inverted."""
    louder_db: float = 0.0
    """Level of the first minus the second, dB."""

    def compare(self, a: Samples, b: Samples) -> tuple[float, float]:
        """Return the normalised correlation of two seconds, and the first's level minus the second's, dB."""
        x = a[max(0, self.shift) : RATE_HZ + min(0, self.shift)].astype(np.float64)
        y = b[max(0, -self.shift) : RATE_HZ - max(0, self.shift)].astype(np.float64)
        if max(rms(x), rms(y)) < AUDIBLE_RMS:
            return self.sign, self.louder_db
        # Not `np.dot`: waking BLAS threads for each second costs fifty times the computation.
        shared, own_x, own_y = (float(np.einsum("i,i->", *read_pair)) for read_pair in ((x, y), (x, x), (y, y)))
        return shared / max(math.sqrt(own_x * own_y), 1e-9), 10 * math.log10(max(own_x, 1e-3) / max(own_y, 1e-3))

    def agrees(self, a: Samples, b: Samples) -> bool:
        """Return whether two seconds are consistent with the relation.

        In a call recorded as left and right, each side carries the other faintly, and correlated; but the level
        difference changes.
        """
        similarity, louder_db = self.compare(a, b)
        return similarity * self.sign >= OTHER_CORRELATION and abs(louder_db - self.louder_db) <= SAME_RATIO_DB


def _read_second(file: BinaryIO, second: int) -> Samples:
    file.seek(second * RATE_HZ * 2)
    samples = np.frombuffer(file.read(RATE_HZ * 2), "<i2")
    return np.pad(samples, (0, RATE_HZ - len(samples)))

"""Whether two stretches of sound are the same: at another level, a little later, through another codec."""

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

# Quieter than this (-50 dBFS) a second says nothing of what it is a copy of.
AUDIBLE_RMS = 32768 * 10 ** (-50 / 20)
# A pair is judged by so many seconds with sound on either.
COMPARED_SECONDS = 10
# Two copies of a mix come through different codecs; two people in a room hear one another faintly.
SAME_CORRELATION = 0.9
# Less in a single second, and one of them hears somebody else as well. A codec at 8 kbit/s leaves 0.85.
OTHER_CORRELATION = 0.8
# How much louder one copy is than the other changes by no more.
SAME_RATIO_DB = 6.0
# Copies may be apart by so much.
MAX_SHIFT = RATE_HZ // 2
# Of the energy of both; below it there is nothing but errors of rounding to compare.
MIN_OVERLAP = 1e-3
# A last piece that is shorter than this is left out of a comparison.
MIN_PIECE = RATE_HZ // 10

Samples = NDArray[np.int16]


def rms(samples: NDArray[Any]) -> float:
    """Root mean square, 0..32768."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def correlation(a: Samples, b: Samples) -> float:
    """The highest normalised cross-correlation of two stretches of one length at any shift of up to 0.5 s, -1..1."""
    return float(np.max(_correlations(a, b)[0]))


def best_shift(a: Samples, b: Samples) -> tuple[float, int]:
    """The normalised cross-correlation that is furthest from 0, -1..1, and its shift: how much later the first is."""
    found, shifts = _correlations(a, b)
    best = int(np.argmax(np.abs(found)))
    return float(found[best]), int(shifts[best])


def _correlations(a: Samples, b: Samples) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The normalised cross-correlation at every shift.

    The overlap alone is normalised, so that a shift costs nothing; one that holds next to nothing
    of the sound says nothing.
    """
    x, y = a.astype(np.float64), b.astype(np.float64)
    size = 1 << (len(x) + len(y)).bit_length()
    cross = np.fft.irfft(np.fft.rfft(x, size) * np.conj(np.fft.rfft(y, size)), size)
    n = len(x)
    largest = min(MAX_SHIFT, n - 1)
    shifts = np.arange(-largest, largest + 1)
    energy_x, energy_y = np.concatenate([[0], np.cumsum(x**2)]), np.concatenate([[0], np.cumsum(y**2)])
    # At shift s, x[s:] meets y[:n-s]; at -s the other way round.
    from_x, to_x = np.maximum(shifts, 0), n + np.minimum(shifts, 0)
    from_y, to_y = np.maximum(-shifts, 0), n - np.maximum(shifts, 0)
    overlap = np.sqrt((energy_x[to_x] - energy_x[from_x]) * (energy_y[to_y] - energy_y[from_y]))
    whole = np.sqrt(energy_x[-1] * energy_y[-1])
    return cross[shifts] / np.maximum(overlap, MIN_OVERLAP * whole + 1e-9), shifts


class HeardFile:
    """A file of s16le mono at 16 kHz, and how loud each of its seconds is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            pieces = (np.frombuffer(data, "<i2") for data in iter(lambda: file.read(RATE_HZ * 2), b""))
            self.loudness = [rms(piece) for piece in takewhile(lambda piece: len(piece) >= MIN_PIECE, pieces)]
            """Root mean square of each second, 0..32768; the last may be shorter."""

    def louder(self, other: HeardFile) -> list[float]:
        """The loudness of whichever is louder, second by second."""
        return [max(pair) for pair in zip_longest(self.loudness, other.loudness, fillvalue=0.0)]


def same_recording(a: HeardFile, b: HeardFile, working: Callable[[], None]) -> bool:
    """Whether two files carry the same audio from beginning to end, either way up.

    Some seconds decide whether they are copies at all, and by how much they are apart; then every second has to
    agree, for a microphone is the same as the mix of a meeting so long as nobody else speaks. ``working`` is called
    now and then: of long recordings it takes seconds.
    """
    loudness = a.louder(b)
    audible = [place for place, loud in enumerate(loudness) if loud >= AUDIBLE_RMS]
    with a.path.open("rb") as first, b.path.open("rb") as second:

        def pair(place: int) -> tuple[Samples, Samples]:
            working()
            return _second(first, place), _second(second, place)

        if not audible:
            return all(np.array_equal(*pair(place)) for place in range(len(loudness)))
        chosen = audible[:: max(1, len(audible) // COMPARED_SECONDS)]
        found = [best_shift(*pair(place)) for place in chosen]
        similarity = median(value for value, _ in found)
        if abs(similarity) < SAME_CORRELATION:
            return False
        copy = _Copy(int(median(shift for _, shift in found)), math.copysign(1, similarity))
        copy.louder_db = median(copy.compared(*pair(place))[1] for place in chosen)
        return all(copy.agrees(*pair(place)) for place in audible)


@dataclass
class _Copy:
    """How two recordings relate that seem to be the same."""

    shift: int
    """How much later the first is, in samples."""
    sign: float
    """-1 where one is the other upside down."""
    louder_db: float = 0.0
    """How much louder the first is than the second."""

    def compared(self, a: Samples, b: Samples) -> tuple[float, float]:
        """The normalised correlation of two seconds, and how much louder the first is, in dB."""
        x = a[max(0, self.shift) : RATE_HZ + min(0, self.shift)].astype(np.float64)
        y = b[max(0, -self.shift) : RATE_HZ - max(0, self.shift)].astype(np.float64)
        if max(rms(x), rms(y)) < AUDIBLE_RMS:
            return self.sign, self.louder_db
        # `np.dot` would wake the threads of BLAS for each second, which costs fifty times what they compute.
        shared, own_x, own_y = (float(np.einsum("i,i->", *pair)) for pair in ((x, y), (x, x), (y, y)))
        return shared / max(math.sqrt(own_x * own_y), 1e-9), 10 * math.log10(max(own_x, 1e-3) / max(own_y, 1e-3))

    def agrees(self, a: Samples, b: Samples) -> bool:
        """Whether two seconds are as the others.

        Of a call with its sides left and right each side hears the other faintly, and what it hears is the same; but
        who is louder changes.
        """
        similarity, louder_db = self.compared(a, b)
        return similarity * self.sign >= OTHER_CORRELATION and abs(louder_db - self.louder_db) <= SAME_RATIO_DB


def _second(file: BinaryIO, place: int) -> Samples:
    file.seek(place * RATE_HZ * 2)
    heard = np.frombuffer(file.read(RATE_HZ * 2), "<i2")
    return np.pad(heard, (0, RATE_HZ - len(heard)))

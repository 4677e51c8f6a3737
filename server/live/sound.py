"""What can be said of a live track's sound at once: is it clipped, silent, or another track's?

Two tracks are one when they sound the same at the same time: platforms hand bots the same mix twice.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from numpy.typing import NDArray

from server.meetings.resampling import RATE_HZ

FULL_SCALE = 32767
# A second counts as clipped when so many of its samples are at full scale.
CLIPPED_SHARE = 0.001
CLIPPED_SECONDS = 3
# Quieter than this nothing is heard: -60 dBFS.
SILENT_RMS = 32768 * 10 ** (-60 / 20)
SILENCE_S = 60
# Seconds kept for comparing tracks that come at different speeds.
KEPT_SECONDS = 120


@dataclass
class TrackSound:
    """The sound of one track, second by second."""

    seconds: OrderedDict[int, NDArray[np.int16]] = field(default_factory=OrderedDict)
    """The last whole seconds by their number."""
    oldest: int = 0
    """Number of the first second that was not dropped; a plain number, for it is read from other threads."""
    _rest: list[NDArray[np.int16]] = field(default_factory=list)
    _rest_samples: int = 0
    _clipped: int = 0
    _silent: int = 0

    def hear(self, samples: NDArray[np.int16], first: int) -> None:
        """The next samples at 16 kHz, the first of them number ``first``; 0 begins anew."""
        if first == 0:
            self.seconds.clear()
            self._rest, self._rest_samples, self._clipped, self._silent, self.oldest = [], 0, 0, 0, 0
        self._rest.append(samples)
        self._rest_samples += len(samples)
        if self._rest_samples < RATE_HZ:
            return
        heard = np.concatenate(self._rest)
        begun = first + len(samples) - len(heard)
        whole = len(heard) // RATE_HZ
        for second in range(whole):
            self._judge(begun // RATE_HZ + second, heard[second * RATE_HZ : (second + 1) * RATE_HZ])
        self._rest = [heard[whole * RATE_HZ :]]
        self._rest_samples = len(self._rest[0])

    def _judge(self, number: int, second: NDArray[np.int16]) -> None:
        self.seconds[number] = second
        while len(self.seconds) > KEPT_SECONDS:
            self.oldest = self.seconds.popitem(last=False)[0] + 1
        full = float(np.mean((second >= FULL_SCALE) | (second <= -FULL_SCALE)))
        self._clipped = self._clipped + 1 if full >= CLIPPED_SHARE else max(0, self._clipped - 1)
        silent = rms(second) < SILENT_RMS
        self._silent = self._silent + 1 if silent else 0

    @property
    def clipping(self) -> bool:
        """Several seconds were at full scale lately."""
        return self._clipped >= CLIPPED_SECONDS

    @property
    def silent(self) -> bool:
        """Nothing was heard for a minute."""
        return self._silent >= SILENCE_S


def rms(samples: NDArray[np.int16]) -> float:
    """Root mean square, 0..32768."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


# A pair is judged once so many seconds with sound on either track were compared.
COMPARED_SECONDS = 10
# Two copies of a mix come through different codecs; two people in a room hear one another faintly.
SAME_CORRELATION = 0.9
# Copies may be apart by so much.
LARGEST_SHIFT = RATE_HZ // 2
# Of the energy of both; below it there is nothing but errors of rounding to compare.
LEAST_OVERLAP = 1e-3
AUDIBLE_RMS = 32768 * 10 ** (-50 / 20)


class Comparison:
    """Whether two tracks carry the same audio; None until that can be told."""

    def __init__(self, shift_s: int) -> None:
        """``shift_s``: how much later the second track begins than the first, whole seconds."""
        self._shift_s = shift_s
        self._next = max(0, shift_s)
        self._found: list[float] = []
        self.same: bool | None = None

    def compare(self, first: TrackSound, second: TrackSound) -> None:
        """Compares the seconds that both have by now."""
        while self.same is None:
            a, b = first.seconds.get(self._next), second.seconds.get(self._next - self._shift_s)
            if a is None or b is None:
                kept = max(first.oldest, second.oldest + self._shift_s)
                if self._next >= kept:
                    return
                self._next = kept
                continue
            self._next += 1
            if max(rms(a), rms(b)) >= AUDIBLE_RMS:
                self._found.append(correlation(a, b))
                if len(self._found) == COMPARED_SECONDS:
                    self.same = median(self._found) >= SAME_CORRELATION


def correlation(a: NDArray[np.int16], b: NDArray[np.int16]) -> float:
    """The highest normalised cross-correlation of two stretches at any shift of up to 0.5 s, -1..1.

    The overlap alone is normalised, so that a shift costs nothing; one that holds next to nothing
    of the sound says nothing.
    """
    x, y = a.astype(np.float64), b.astype(np.float64)
    size = 1 << (len(x) + len(y)).bit_length()
    cross = np.fft.irfft(np.fft.rfft(x, size) * np.conj(np.fft.rfft(y, size)), size)
    shifts = np.arange(-LARGEST_SHIFT, LARGEST_SHIFT + 1)
    energy_x, energy_y = np.concatenate([[0], np.cumsum(x**2)]), np.concatenate([[0], np.cumsum(y**2)])
    n = len(x)
    # At shift s, x[s:] meets y[:n-s]; at -s the other way round.
    from_x, to_x = np.maximum(shifts, 0), n + np.minimum(shifts, 0)
    from_y, to_y = np.maximum(-shifts, 0), n - np.maximum(shifts, 0)
    overlap = np.sqrt((energy_x[to_x] - energy_x[from_x]) * (energy_y[to_y] - energy_y[from_y]))
    whole = np.sqrt(energy_x[-1] * energy_y[-1])
    return float(np.max(cross[shifts] / np.maximum(overlap, LEAST_OVERLAP * whole + 1e-9)))

"""Immediate judgements on a live track's sound: clipping, silence, duplicates.

Two tracks are duplicates if they sound the same at the same time: platforms may hand a bot the same mix twice.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from numpy.typing import NDArray

from server.media import AUDIBLE_RMS, RATE_HZ, SAME_CORRELATION, Samples, correlation, rms

FULL_SCALE = 32767
# A second counts as clipped from this share of full-scale samples.
CLIPPED_SHARE = 0.001
CLIPPED_SECONDS = 3
# -60 dBFS; quieter audio counts as silence.
SILENT_RMS = 32768 * 10 ** (-60 / 20)
SILENCE_S = 60
# A track with so many seconds of sound is alive: less may be a click as the microphone is opened.
ALIVE_SECONDS = 2
# Seconds kept for comparing tracks whose audio arrives at different speeds.
MAX_KEPT_SECONDS = 120


@dataclass
class TrackSound:
    """The sound of one track, in seconds of audio."""

    seconds: OrderedDict[int, NDArray[np.int16]] = field(default_factory=OrderedDict)
    """The latest whole seconds, by number."""
    oldest: int = 0
    """Number of the first second not dropped; a plain int, since other threads read it."""
    measured: int = 0
    """Samples added so far."""
    whole_seconds: int = 0
    """Number of whole seconds that have come, also those dropped; a plain int as well."""
    skipped: list[range] = field(default_factory=list)
    """Seconds that were silent and not measured."""
    _pending: list[NDArray[np.int16]] = field(default_factory=list)
    _pending_samples: int = 0
    _clipped: int = 0
    _silent: int = 0
    _sounding: int = 0

    def add(self, samples: NDArray[np.int16], first: int) -> None:
        """Add samples at 16 kHz that start at index ``first``; 0 resets the track.

        Where they start after those measured, there is silence in between.
        """
        if first == 0:
            self.seconds.clear()
            self._pending, self._pending_samples, self._clipped, self._silent, self.oldest = [], 0, 0, 0, 0
            self._sounding = 0
            self.whole_seconds = 0
            self.skipped = []
        elif first > self.measured:
            self._skip_to(first)
        self.measured = first + len(samples)
        self._pending.append(samples)
        self._pending_samples += len(samples)
        if self._pending_samples < RATE_HZ:
            return
        buffered = np.concatenate(self._pending)
        first_buffered = first + len(samples) - len(buffered)
        whole_seconds = len(buffered) // RATE_HZ
        for second in range(whole_seconds):
            self._measure_second(
                first_buffered // RATE_HZ + second, buffered[second * RATE_HZ : (second + 1) * RATE_HZ]
            )
        self._pending = [buffered[whole_seconds * RATE_HZ :]]
        self._pending_samples = len(self._pending[0])

    def _skip_to(self, first: int) -> None:
        if rest := -self.measured % RATE_HZ:
            self.add(np.zeros(min(rest, first - self.measured), np.int16), self.measured)
        if first > self.measured:
            self.skipped.append(range(self.measured // RATE_HZ, first // RATE_HZ))
            self._silent += len(self.skipped[-1])
            self._pending, self._pending_samples = [np.zeros(first % RATE_HZ, np.int16)], first % RATE_HZ

    def after_skipped(self, second: int) -> int:
        """Return the first second from one on that was not skipped."""
        return next((skipped.stop for skipped in self.skipped if second in skipped), second)

    def _measure_second(self, number: int, second: NDArray[np.int16]) -> None:
        self.seconds[number] = second
        self.whole_seconds = number + 1
        while len(self.seconds) > MAX_KEPT_SECONDS:
            self.oldest = self.seconds.popitem(last=False)[0] + 1
        full = float(np.mean((second >= FULL_SCALE) | (second <= -FULL_SCALE)))
        self._clipped = self._clipped + 1 if full >= CLIPPED_SHARE else max(0, self._clipped - 1)
        silent = rms(second) < SILENT_RMS
        self._silent = self._silent + 1 if silent else 0
        self._sounding += not silent

    def span(self, begin: int, end: int) -> NDArray[np.int16]:
        """Return the samples from index ``begin`` to ``end``; 0 where there are none, or none any more."""
        span = np.zeros(end - begin, np.int16)
        for number in range(max(0, begin // RATE_HZ), -(-end // RATE_HZ)):
            second = self.seconds.get(number)
            if second is not None:
                first, last = max(begin, number * RATE_HZ), min(end, (number + 1) * RATE_HZ)
                span[first - begin : last - begin] = second[first - number * RATE_HZ : last - number * RATE_HZ]
        return span

    @property
    def clipping(self) -> bool:
        """Whether several recent seconds were at full scale."""
        return self._clipped >= CLIPPED_SECONDS

    @property
    def alive(self) -> bool:
        """Whether there was sound: more than a click at the beginning."""
        return self._sounding >= ALIVE_SECONDS

    @property
    def silent(self) -> bool:
        """Whether the last minute was silent."""
        return self._silent >= SILENCE_S


# One microphone's copy of a voice that another hears this much louder is an echo, and no duplicate.
ECHO_RATIO = 2.0
# A pair is judged after this many compared seconds with sound on either track.
COMPARED_SECONDS = 10


class TrackComparison:
    """Comparison of two tracks: ``same`` is whether they carry the same audio, None until decided."""

    def __init__(self, shift_s: int, *, participants: bool = False) -> None:
        """
        Args:
            shift_s: start of the second track after the first, whole seconds.
            participants: both are tracks of single people, which may carry echoes of each other.
        """
        self._shift_s, self._participants = shift_s, participants
        self._next = max(0, shift_s)
        self._correlations: list[float] = []
        self.same: bool | None = None

    def compare(self, first: TrackSound, second: TrackSound) -> None:
        """Compare the seconds that both tracks have by now."""
        while self.same is None:
            self._next = first.after_skipped(self._next)
            self._next = second.after_skipped(self._next - self._shift_s) + self._shift_s
            a, b = first.seconds.get(self._next), second.seconds.get(self._next - self._shift_s)
            if a is None or b is None:
                oldest = max(first.oldest, second.oldest + self._shift_s)
                if self._next >= oldest:
                    return
                self._next = oldest
                continue
            self._next += 1
            if max(rms(a), rms(b)) >= AUDIBLE_RMS:
                apart = self._participants and max(rms(a), rms(b)) > ECHO_RATIO * min(rms(a), rms(b))
                self._correlations.append(0.0 if apart else correlation(a, b))
                if len(self._correlations) == COMPARED_SECONDS:
                    self.same = median(self._correlations) >= SAME_CORRELATION


class ChannelComparison:
    """Comparison of two channels of one recording: ``same`` is False once they differ, True only at the end.

    Both sides of a call hear the same announcement or music while they wait for each other.
    """

    def __init__(self) -> None:
        self._next = 0
        self._compared_seconds = 0
        self.same: bool | None = None

    def compare(self, first: TrackSound, second: TrackSound) -> None:
        """Compare the seconds that both channels have by now."""
        while self.same is None:
            # Both were skipped: they are channels of one recording.
            self._next = first.after_skipped(self._next)
            a, b = first.seconds.get(self._next), second.seconds.get(self._next)
            if a is None or b is None:
                if self._next < max(first.oldest, second.oldest):
                    # A second was dropped before it could be compared.
                    self.same = False
                return
            self._next += 1
            if max(rms(a), rms(b)) >= AUDIBLE_RMS:
                self._compared_seconds += 1
                if sample_similarity(a, b) < SAME_CORRELATION:
                    self.same = False

    @property
    def has_sound(self) -> bool:
        """Whether any compared second had sound."""
        return self._compared_seconds > 0

    def decide(self) -> None:
        """Decide at the end of the audio: channels with sound that never differed are the same."""
        if self.same is None:
            self.same = self._compared_seconds > 0


def sample_similarity(a: Samples, b: Samples) -> float:
    """Return how similar two spans are, sample by sample and in either polarity: 1 identical, 0 or less unrelated.

    For channels of one recording, without a codec or network in between. Crosstalk, as an echo or through the air, is
    delayed or softer and thus not the same.
    """
    x, y = a.astype(np.float64), b.astype(np.float64)
    loudest = max(np.sqrt(np.mean(x**2)), np.sqrt(np.mean(y**2)))
    difference = min(np.sqrt(np.mean((x - y) ** 2)), np.sqrt(np.mean((x + y) ** 2)))
    return float(1 - difference / max(loudest, 1e-9))

"""Where what is heard of a track differs from what was received: silence filled in, and samples left out.

The log of a track stays as it was received. The edits are a file beside it, so that every reader of the log hears the
same: the live analysis, the worker, an export.
"""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from server.disk import detect_full_disk
from server.media import RATE_HZ

# What makes up for the drift of a clock is at most so long, seconds.
MAX_STEP_S = 0.03
# Silence is handed out in pieces of at most this many samples: hours of it take no memory.
PIECE_SAMPLES = 4 * RATE_HZ
_SILENCE: NDArray[np.int16] = np.zeros(PIECE_SAMPLES, np.int16)
_SILENCE.setflags(write=False)


class Edit(NamedTuple):
    """One edit of a track, in samples at the track's rate."""

    position: int
    """Samples of the log before it."""
    silence: int
    """Samples of silence before the sample at ``position``; negative: so many from there are left out."""
    counted: bool
    """Whether the client counts the silence in its positions."""


def edits_path(log_path: Path) -> Path:
    """Return the path of the edits of a track.

    Args:
        log_path: the track's log.
    """
    return log_path.with_suffix(".edits")


def read_edits(log_path: Path, recorded: int | None = None) -> list[Edit]:
    """Return the edits of a log that holds ``recorded`` samples, in their order. Blocking.

    An edit is stored before the audio that follows it. One without any does not count, nor does it change what is
    heard: nothing depends on it, and the audio is sent again.

    Args:
        recorded: None to return those without audio as well.
    """
    return [edit for edit, _ in _read(log_path, recorded)]


def _read(log_path: Path, recorded: int | None) -> list[tuple[Edit, int]]:
    """Return each edit that counts, with its end in the file."""
    try:
        content = edits_path(log_path).read_bytes()
    except FileNotFoundError:
        return []
    found, end = [], 0
    # A line that a crash left without its end does not count either.
    for line in content.split(b"\n")[:-1]:
        end += len(line) + 1
        position, silence, counted = map(int, line.split())
        if recorded is not None and position >= recorded:
            break
        found.append((Edit(position, silence, bool(counted)), end))
    return found


def edited_length(recorded: int, edits: Iterable[Edit]) -> int:
    """Return the length of samples with their edits; what is left out may begin at their very end.

    Args:
        recorded: samples without edits.
        edits: those before the end of what is recorded.
    """
    length, left_out, position = recorded, 0, 0
    for edit in edits:
        passed = min(left_out, edit.position - position)
        left_out, position, length = left_out - passed, edit.position, length - passed
        left_out += max(0, -edit.silence)
        length += max(0, edit.silence)
    return length - min(left_out, recorded - position)


class TrackEdits:
    """The edits of one track, in the order of their positions.

    Args:
        rate_hz: samples of the track a second; 1 for a track whose positions are bytes, which has no edits.
    """

    def __init__(self, rate_hz: int | None, edits: Iterable[Edit] = ()) -> None:
        self._rate_hz = rate_hz or 1
        self.all: list[Edit] = []
        self.net = 0
        """Silence filled in, less what is left out, samples at the track's rate."""
        self.counted = 0
        """Silence that the client counts in its positions, samples at the track's rate."""
        self.pauses = 0
        """Silences that were filled in at once; what makes up for the drift of a clock is shorter."""
        self.places: list[tuple[int, int]] = []
        """Of each edit: the samples at 16 kHz of the log before it, and its silence at 16 kHz, negative: left out."""
        self._net_16k = 0
        self._begins: list[int] = []  # of each silence, where it begins among what is heard, samples at 16 kHz
        self._before: list[int] = [0]  # and how much silence was before it, and after the last
        for edit in edits:
            self.add(edit)

    def add(self, edit: Edit) -> None:
        """Add an edit after all others."""
        place = self._to_16k(edit.position)
        begin = place + self._net_16k
        self.net += edit.silence
        self.counted += edit.silence if edit.counted else 0
        self.pauses += edit.counted or edit.silence > MAX_STEP_S * self._rate_hz
        # Rounded so that many edits are as long as they are together.
        samples = self._to_16k(edit.position + self.net) - begin
        self._net_16k += samples
        self.all.append(edit)
        self.places.append((place, samples))
        if samples > 0:
            self._begins.append(begin)
            self._before.append(self._before[-1] + samples)

    def silence_end(self, sample: int) -> int:
        """Return where silence ends that is filled in at a sample or right after it; the sample itself without any.

        Args:
            sample: where a part of the track ends, of what is heard at 16 kHz.
        """
        # What a resampler still held when a part ended lies before the silence.
        number = bisect_right(self._begins, sample + RATE_HZ // 10)
        if not number:
            return sample
        return max(sample, self._begins[number - 1] + self._before[number] - self._before[number - 1])

    def recorded_before(self, sample: int) -> int:
        """Return how many of the samples before one are not filled in, of what is heard at 16 kHz."""
        number = bisect_left(self._begins, sample)
        if not number:
            return sample
        last = min(sample - self._begins[number - 1], self._before[number] - self._before[number - 1])
        return sample - self._before[number - 1] - last

    def _to_16k(self, samples: int) -> int:
        return samples * RATE_HZ // self._rate_hz


def recover_edits(log_path: Path, rate_hz: int | None, recorded: int) -> TrackEdits:
    """Return the edits of a log that holds ``recorded`` samples, and remove what a crash left behind them. Blocking.

    The file is created if need be; its folder is not synced.
    """
    found = _read(log_path, recorded)
    with edits_path(log_path).open("ab") as file:
        file.truncate(found[-1][1] if found else 0)
        os.fsync(file.fileno())
    return TrackEdits(rate_hz, (edit for edit, _ in found))


def encode_edits(edits: Iterable[Edit]) -> bytes:
    """Return edits as they are stored."""
    return "".join(f"{position} {silence} {int(counted)}\n" for position, silence, counted in edits).encode()


def append_edits(log_path: Path, edits: Iterable[Edit], check_holder: Callable[[], None] = lambda: None) -> None:
    """Store edits after those of the file, which exists, and sync it. Blocking.

    Args:
        check_holder: raises where another process writes the file by now; asked once it is open.

    Raises DiskFull, OSError, what ``check_holder`` raises.
    """
    # Never created here: a deleted meeting's files must not come back.
    with detect_full_disk(), os.fdopen(os.open(edits_path(log_path), os.O_WRONLY | os.O_APPEND), "ab") as file:
        check_holder()
        file.write(encode_edits(edits))
        file.flush()
        os.fsync(file.fileno())


class AudioEditor:
    """Carry out the edits of a track on its decoded audio, as it comes.

    Args:
        edits: may get more edits meanwhile, each before the audio that follows it is decoded.
    """

    def __init__(self, edits: TrackEdits) -> None:
        self._edits = edits
        self._next = 0
        self._left_out = 0  # samples still to leave out
        self.silence_left = 0
        """Samples of silence that follow what was yielded last."""
        self.decoded = 0
        """Samples decoded from the log so far."""

    def pieces(self, samples: NDArray[np.int16]) -> Iterator[NDArray[np.int16]]:
        """Yield what is heard of the next samples of the log, and of the silence before them."""
        while len(samples):
            places = self._edits.places
            if self._next < len(places) and places[self._next][0] <= self.decoded:
                yield from self._apply(places[self._next][1])
                self._next += 1
                continue
            take = len(samples)
            if self._next < len(places):
                take = min(take, places[self._next][0] - self.decoded)
            if self._left_out:
                take = min(take, self._left_out)
                self._left_out -= take
            else:
                yield samples[:take]
            self.decoded += take
            samples = samples[take:]

    def _apply(self, silence: int) -> Iterator[NDArray[np.int16]]:
        self._left_out += max(0, -silence)
        while silence > 0:
            size = min(silence, PIECE_SAMPLES)
            silence = self.silence_left = silence - size
            yield _SILENCE[:size]

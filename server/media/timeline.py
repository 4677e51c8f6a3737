"""Where on its track each piece of audio belongs, by the container's timestamps.

A timestamp is believed as far as a player would believe it. Rounding and jitter of up to 50 ms do nothing: pieces
follow one another, so that Matroska's milliseconds leave no clicks; but what is beyond is put right at once, so that
nothing adds up. A gap is silence. Of audio that overlaps what is there already, the overlapping part is dropped.

A timestamp may also be forged or broken. One piece that leaps away and those after it do not is put where it follows
the one before. A leap beyond the longest recording that is accepted, backwards by more than 10 s, or back to the start
of the track, as in recordings that were put one after the other, is no time of a recording: the clock was set anew, and
what comes follows what was there. Nothing is ever written for it, and nothing after it is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TOLERANCE_S = 0.05
# The first piece has nothing to be continuous with: it is put where it belongs, but for rounding.
START_TOLERANCE_S = 0.005
ROUNDING_S = 0.0005
# As ffmpeg's own limit of what may be one stream's time (-dts_delta_threshold).
MAX_OVERLAP_S = 10.0
# So many pieces with a new time in a row, and it is no lone error.
CONFIRMING_PIECES = 10
# A clock that was set anew so often, other than to the start, is none: pieces follow one another from then on.
MAX_CLOCKS = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """One frame on its way."""

    frame: Any
    time_s: float | None
    """From the start of the file; None where the container does not say."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A frame with its place: after what was placed before, unless ``after_silence_s``."""

    frame: Any
    after_silence_s: float | None = None
    """Where it begins, from the start of the file; until there is silence."""
    dropped_s: float = 0.0
    """How much of its beginning is left out."""


class Timeline:
    """Places the pieces of one track, in the order in which they come."""

    def __init__(self, limit_s: float) -> None:
        """``limit_s``: no recording is longer."""
        self._limit_s = limit_s
        self.now_s = 0.0
        """Where what was placed ends, from the start of the file."""
        self._shift_s = 0.0  # what is added to timestamps since the clock was set anew
        self._first_s: float | None = None
        self._clocks = 0
        self._cutting = False
        self._waiting: list[Piece] = []

    def place(self, piece: Piece) -> list[Placed]:
        """What has its place now; a piece that leaps waits for those that show whether it is alone."""
        if self._waiting:
            self._waiting.append(piece)
            return self._decided()
        leap = self._leap(piece)
        if self._first_s is None and piece.time_s is not None:
            self._first_s = piece.time_s
            tolerance = START_TOLERANCE_S
        else:
            tolerance = START_TOLERANCE_S if self._cutting else TOLERANCE_S
        if abs(leap) <= tolerance:
            self._cutting = False
            return [self._following(piece)]
        if self._cutting and -MAX_OVERLAP_S <= leap < 0:
            return self._cut(piece, -leap)
        self._waiting = [piece]
        return []

    def finish(self) -> list[Placed]:
        """What still waits."""
        placed: list[Placed] = []
        while self._waiting:
            placed += self._settled()
        return placed

    def until(self, time_s: float) -> float:
        """A moment of the container on the track's own time; never beyond what a recording may last."""
        moment = time_s + self._shift_s
        return moment if self.now_s < moment <= self._limit_s else self.now_s

    def _leap(self, piece: Piece) -> float:
        """How much later than it follows a piece says that it begins, in seconds."""
        if piece.time_s is None or self._clocks > MAX_CLOCKS:
            return 0.0
        return piece.time_s + self._shift_s - self.now_s

    def _decided(self) -> list[Placed]:
        last, before = self._waiting[-1], self._waiting[:-1]
        back = abs(self._leap(last) - sum(piece.seconds for piece in before)) <= TOLERANCE_S
        if back and last.time_s is not None:
            # Those in between had wrong timestamps.
            waiting, self._waiting = self._waiting, []
            return [self._following(piece) for piece in waiting]
        return self._settled() if len(self._waiting) >= CONFIRMING_PIECES else []

    def _settled(self) -> list[Placed]:
        """The first that waits where its timestamp says, and those after it."""
        first, *rest = self._waiting
        self._waiting = []
        leap = self._leap(first)
        if self._is_new_clock(first, leap):
            self._shift_s -= leap
            placed = [self._following(first)]
        elif leap > 0:
            self.now_s += leap
            placed = [Placed(first.frame, after_silence_s=self.now_s)]
            self.now_s += first.seconds
        else:
            placed = self._cut(first, -leap)
        for piece in rest:
            placed += self.place(piece)
        return placed

    def _is_new_clock(self, piece: Piece, leap: float) -> bool:
        if leap > 0 and self.now_s + leap + piece.seconds <= self._limit_s:
            return False
        at_start = (
            self._first_s is not None and piece.time_s is not None and piece.time_s <= self._first_s + TOLERANCE_S
        )
        if abs(leap) > MAX_OVERLAP_S and not at_start:
            self._clocks += 1
        return abs(leap) > MAX_OVERLAP_S or at_start

    def _cut(self, piece: Piece, overlap_s: float) -> list[Placed]:
        self._cutting = overlap_s > piece.seconds - ROUNDING_S
        if self._cutting:
            return []
        self.now_s += piece.seconds - overlap_s
        return [Placed(piece.frame, dropped_s=overlap_s)]

    def _following(self, piece: Piece) -> Placed:
        self.now_s += piece.seconds
        return Placed(piece.frame)

"""Placement of decoded audio on its track, by the container's timestamps.

Timestamps are trusted as far as a player would. Rounding and jitter of up to 50 ms are ignored: frames are joined, so
that Matroska's millisecond timestamps leave no clicks; larger deviations are corrected at once, so that they do not add
up. A gap becomes silence. Of overlapping audio, the overlapping part is dropped.

Timestamps may also be forged or broken. A single frame that jumps, unlike those after it, is appended to the one
before. A jump beyond the maximum recording length, backwards by more than 10 s, or back to the start of the track, as
in concatenated recordings, means that the clock was reset: the audio is appended. Nothing is ever written for such a
jump, and no audio after it is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TOLERANCE_S = 0.05
# The first frame has no predecessor: it is placed by its timestamp, except for rounding.
START_TOLERANCE_S = 0.005
ROUNDING_S = 0.0005
# As ffmpeg's own limit for timestamps of one stream (-dts_delta_threshold).
MAX_OVERLAP_S = 10.0
# This many consecutive frames with a new time are not an isolated error.
CONFIRMING_PIECES = 10
# A clock reset more often, other than to the start, is unusable: from then on frames are appended.
MAX_CLOCKS = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """One decoded frame to place."""

    frame: Any
    time_s: float | None
    """Seconds from the start of the file; None if the container gives no timestamp."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A placed frame: it follows the previous one, unless ``after_silence_s`` is set."""

    frame: Any
    after_silence_s: float | None = None
    """Start of the frame, seconds from the start of the file, preceded by silence."""
    dropped_s: float = 0.0
    """Seconds to drop from its start."""


class Timeline:
    """Place the frames of one track, in decoding order."""

    def __init__(self, limit_s: float) -> None:
        """
        Args:
            limit_s: maximum length of a recording, seconds.
        """
        self._limit_s = limit_s
        self.now_s = 0.0
        """End of the placed audio, seconds from the start of the file."""
        self._shift_s = 0.0  # added to timestamps since the clock was reset
        self._first_s: float | None = None
        self._clocks = 0
        self._cutting = False
        self._waiting: list[Piece] = []

    def place(self, piece: Piece) -> list[Placed]:
        """Return the frames whose placement is decided; a frame that jumps waits for confirmation by later ones."""
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
        """Return the frames that are still waiting."""
        placed: list[Placed] = []
        while self._waiting:
            placed += self._settled()
        return placed

    def until(self, time_s: float) -> float:
        """Convert a container time to track time, seconds, limited to the maximum recording length."""
        moment = time_s + self._shift_s
        return moment if self.now_s < moment <= self._limit_s else self.now_s

    def _leap(self, piece: Piece) -> float:
        """Return by how many seconds a frame's timestamp is later than the end of the audio before it."""
        if piece.time_s is None or self._clocks > MAX_CLOCKS:
            return 0.0
        return piece.time_s + self._shift_s - self.now_s

    def _decided(self) -> list[Placed]:
        last, before = self._waiting[-1], self._waiting[:-1]
        back = abs(self._leap(last) - sum(piece.seconds for piece in before)) <= TOLERANCE_S
        if back and last.time_s is not None:
            # The frames in between had wrong timestamps.
            waiting, self._waiting = self._waiting, []
            return [self._following(piece) for piece in waiting]
        return self._settled() if len(self._waiting) >= CONFIRMING_PIECES else []

    def _settled(self) -> list[Placed]:
        """Place the first waiting frame by its timestamp, and the others after it."""
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

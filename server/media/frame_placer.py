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
CONFIRMING_FRAMES = 10
# A clock reset more often, other than to the start, is unusable: from then on frames are appended.
MAX_CLOCKS = 3


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """One decoded frame to place."""

    frame: Any
    time_s: float | None
    """Seconds from the start of the file; None if the container gives no timestamp."""
    seconds: float


@dataclass(frozen=True, slots=True)
class PlacedFrame:
    """A placed frame: it follows the previous one, unless ``after_silence_s`` is set."""

    frame: Any
    after_silence_s: float | None = None
    """Start of the frame, seconds from the start of the file, preceded by silence."""
    dropped_s: float = 0.0
    """Seconds to drop from its start."""


class FramePlacer:
    """Place the frames of one track, in decoding order."""

    def __init__(self, limit_s: float) -> None:
        """
        Args:
            limit_s: maximum length of a recording, seconds.
        """
        self._limit_s = limit_s
        self.end_s = 0.0
        """End of the placed audio, seconds from the start of the file."""
        self._shift_s = 0.0  # added to timestamps since the clock was reset
        self._first_s: float | None = None
        self._clocks = 0
        self._cutting = False
        self._waiting: list[TimedFrame] = []

    def place(self, frame: TimedFrame) -> list[PlacedFrame]:
        """Return the frames whose placement is decided; a frame that jumps waits for confirmation by later ones."""
        if self._waiting:
            self._waiting.append(frame)
            return self._decide()
        jump_s = self._jump_s(frame)
        if self._first_s is None and frame.time_s is not None:
            self._first_s = frame.time_s
            tolerance = START_TOLERANCE_S
        else:
            tolerance = START_TOLERANCE_S if self._cutting else TOLERANCE_S
        if abs(jump_s) <= tolerance:
            self._cutting = False
            return [self._append(frame)]
        if self._cutting and -MAX_OVERLAP_S <= jump_s < 0:
            return self._cut(frame, -jump_s)
        self._waiting = [frame]
        return []

    def finish(self) -> list[PlacedFrame]:
        """Return the frames that are still waiting."""
        placed: list[PlacedFrame] = []
        while self._waiting:
            placed += self._place_waiting()
        return placed

    def track_time_s(self, time_s: float) -> float:
        """Convert a container time to track time, seconds, limited to the maximum recording length."""
        track_s = time_s + self._shift_s
        return track_s if self.end_s < track_s <= self._limit_s else self.end_s

    def _jump_s(self, frame: TimedFrame) -> float:
        """Return by how many seconds a frame's timestamp is later than the end of the audio before it."""
        if frame.time_s is None or self._clocks > MAX_CLOCKS:
            return 0.0
        return frame.time_s + self._shift_s - self.end_s

    def _decide(self) -> list[PlacedFrame]:
        last, before = self._waiting[-1], self._waiting[:-1]
        resumes = abs(self._jump_s(last) - sum(frame.seconds for frame in before)) <= TOLERANCE_S
        if resumes and last.time_s is not None:
            # The frames in between had wrong timestamps.
            waiting, self._waiting = self._waiting, []
            return [self._append(frame) for frame in waiting]
        return self._place_waiting() if len(self._waiting) >= CONFIRMING_FRAMES else []

    def _place_waiting(self) -> list[PlacedFrame]:
        """Place the first waiting frame by its timestamp, and the others after it."""
        first, *rest = self._waiting
        self._waiting = []
        jump_s = self._jump_s(first)
        if self._is_new_clock(first, jump_s):
            self._shift_s -= jump_s
            placed = [self._append(first)]
        elif jump_s > 0:
            self.end_s += jump_s
            placed = [PlacedFrame(first.frame, after_silence_s=self.end_s)]
            self.end_s += first.seconds
        else:
            placed = self._cut(first, -jump_s)
        for frame in rest:
            placed += self.place(frame)
        return placed

    def _is_new_clock(self, frame: TimedFrame, jump_s: float) -> bool:
        if jump_s > 0 and self.end_s + jump_s + frame.seconds <= self._limit_s:
            return False
        at_start = (
            self._first_s is not None and frame.time_s is not None and frame.time_s <= self._first_s + TOLERANCE_S
        )
        if abs(jump_s) > MAX_OVERLAP_S and not at_start:
            self._clocks += 1
        return abs(jump_s) > MAX_OVERLAP_S or at_start

    def _cut(self, frame: TimedFrame, overlap_s: float) -> list[PlacedFrame]:
        self._cutting = overlap_s > frame.seconds - ROUNDING_S
        if self._cutting:
            return []
        self.end_s += frame.seconds - overlap_s
        return [PlacedFrame(frame.frame, dropped_s=overlap_s)]

    def _append(self, frame: TimedFrame) -> PlacedFrame:
        self.end_s += frame.seconds
        return PlacedFrame(frame.frame)

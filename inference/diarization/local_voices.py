"""Voices as a segmentation network hears them: up to three in each window, without names, and how many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Classes of the network: nobody, three voices alone, three pairs.
_HOLDS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], np.float32)
VOICES = 3
# Probabilities are kept as bytes: those of hours are many.
_SCALE = 255.0


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """Frames of a session, numbered from 0."""

    first_s: float
    """The middle of frame 0."""
    step_s: float

    def middles_s(self, first: int, end: int) -> NDArray[np.float64]:
        """The middles of frames, shape (end - first,)."""
        return np.asarray(self.first_s + np.arange(first, end) * self.step_s, np.float64)

    def begins_s(self, frame: int) -> float:
        """Half-way between a frame and the one before."""
        return self.first_s + (frame - 0.5) * self.step_s

    def frame_at(self, moment_s: float) -> int:
        """The first frame whose middle lies at or after a moment."""
        return max(0, int(np.ceil((moment_s - self.first_s) / self.step_s - 1e-9)))


@dataclass(frozen=True, slots=True)
class LocalVoices:
    """What was heard in one window."""

    first: int
    """The session's number of its first frame."""
    activity: NDArray[np.float32]
    """Shape (frames, 3): how likely each voice speaks."""
    alone: NDArray[np.float32]
    """Shape (frames, 3): how likely each voice speaks, and no other."""

    @property
    def end(self) -> int:
        return self.first + len(self.activity)


class HeardVoices:
    """The windows of a session; each begins a hop after the one before. Memory: 6 bytes a frame and window."""

    def __init__(self, grid: FrameGrid, hop_frames: int) -> None:
        self.grid, self.hop_frames = grid, hop_frames
        self._kept: list[NDArray[np.uint8]] = []  # shape (frames, 6): each voice alone, each pair

    def __len__(self) -> int:
        return len(self._kept)

    def hear(self, classes: NDArray[np.float32]) -> None:
        """The next window, shape (frames, 7): probabilities of nobody, each voice alone, and each pair."""
        self._kept.append(np.round(classes[:, 1:] * _SCALE).astype(np.uint8))

    @property
    def frames(self) -> int:
        """How many frames all windows reach over."""
        return (len(self._kept) - 1) * self.hop_frames + len(self._kept[-1]) if self._kept else 0

    @property
    def window_s(self) -> float:
        """Seconds that a window reaches over; 0 before any was heard."""
        return len(self._kept[0]) * self.grid.step_s if self._kept else 0.0

    def windows_of(self, first: int, end: int) -> range:
        """The numbers of the windows that hold any of these frames."""
        length = len(self._kept[0]) if self._kept else 0
        return range(max(0, (first - length) // self.hop_frames + 1), min(len(self._kept), -(-end // self.hop_frames)))

    def span_of(self, number: int) -> slice:
        """The frames of a window, by the session's numbers."""
        first = number * self.hop_frames
        return slice(first, first + len(self._kept[number]))

    def window(self, number: int) -> LocalVoices:
        """A window as it was heard."""
        kept = self._kept[number].astype(np.float32) / np.float32(_SCALE)
        return LocalVoices(number * self.hop_frames, np.asarray(kept @ _HOLDS[1:], np.float32), kept[:, :VOICES])

    def speech_and_overlap(self, first: int, end: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """How likely somebody speaks, and several at once, each of shape (end - first,).

        Means over the windows that hold a frame; 0 where none does.
        """
        sums = np.zeros((3, end - first), np.float32)
        for number in self.windows_of(first, end):
            kept, at = self._kept[number], number * self.hop_frames
            own = slice(max(0, first - at), max(0, end - at))
            span = slice(max(0, at - first), max(0, at - first) + len(kept[own]))
            sums[0, span] += kept[own].sum(1, dtype=np.float32)
            sums[1, span] += kept[own, VOICES:].sum(1, dtype=np.float32)
            sums[2, span] += np.float32(_SCALE)
        count = np.maximum(sums[2], 1)
        return sums[0] / count, sums[1] / count

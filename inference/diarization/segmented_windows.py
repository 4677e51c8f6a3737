"""Voice segmentation windows: up to three anonymous voices in each, up to two of them at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Classes of the network: nobody, three single voices, three pairs.
CLASS_VOICES = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], np.float32)
VOICES = 3
# Probabilities are stored as bytes: a session may last for hours.
_SCALE = 255.0


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """Frames of a session, numbered from 0."""

    first_s: float
    """Middle of frame 0."""
    step_s: float

    def middles_s(self, first: int, end: int) -> NDArray[np.float64]:
        """Return the middles of frames, seconds, shape (end - first,)."""
        return np.asarray(self.first_s + np.arange(first, end) * self.step_s, np.float64)

    def frame_start_s(self, frame: int) -> float:
        """Return the border between a frame and the one before, seconds."""
        return self.first_s + (frame - 0.5) * self.step_s

    def frame_at(self, time_s: float) -> int:
        """Return the first frame whose middle is at or after a time."""
        return max(0, int(np.ceil((time_s - self.first_s) / self.step_s - 1e-9)))


@dataclass(frozen=True, slots=True)
class LocalVoices:
    """Voice activity in one window."""

    first: int
    """First frame, in the session's numbering."""
    activity: NDArray[np.float32]
    """Probability that each voice speaks, shape (frames, 3)."""
    alone: NDArray[np.float32]
    """Probability that each voice speaks alone, shape (frames, 3)."""

    @property
    def end(self) -> int:
        """The frame after the last, in the session's numbering."""
        return self.first + len(self.activity)


class SegmentedWindows:
    """The segmented windows of a session, at a fixed hop. Memory: 6 bytes for each frame of a window."""

    def __init__(self, grid: FrameGrid, hop_frames: int) -> None:
        """``hop_frames``: frames between the starts of two windows."""
        self.grid, self.hop_frames = grid, hop_frames
        self._windows: list[NDArray[np.uint8]] = []  # shape (frames, 6): each voice alone, each pair
        self.has_preview = False
        """Whether the last of them is to be replaced."""

    def __len__(self) -> int:
        """Return the number of whole windows; a preview does not count."""
        return len(self._windows) - self.has_preview

    def append(self, classes: NDArray[np.float32]) -> None:
        """Add the next window, shape (frames, 7): probabilities of nobody, each single voice, and each pair."""
        self.drop_preview()
        self._windows.append(np.round(classes[:, 1:] * _SCALE).astype(np.uint8))

    def preview(self, classes: NDArray[np.float32]) -> None:
        """Set what is known of the next window, whose audio has not all arrived; ``append`` replaces it."""
        self.append(classes)
        self.has_preview = True

    def drop_preview(self) -> None:
        """Forget what was known of the next window."""
        if self.has_preview:
            self._windows.pop()
            self.has_preview = False

    @property
    def frames(self) -> int:
        """Number of frames that the windows cover, a preview included."""
        return (len(self._windows) - 1) * self.hop_frames + len(self._windows[-1]) if self._windows else 0

    @property
    def settled_frames(self) -> int:
        """Number of frames that no further window covers."""
        return len(self) * self.hop_frames

    @property
    def window_s(self) -> float:
        """Length of a window, seconds; 0 before the first."""
        return len(self._windows[0]) * self.grid.step_s if self._windows else 0.0

    def windows_in(self, first: int, end: int) -> range:
        """Return the numbers of the windows that overlap frames ``first`` to ``end``."""
        length = len(self._windows[0]) if self._windows else 0
        return range(
            max(0, (first - length) // self.hop_frames + 1), min(len(self._windows), -(-end // self.hop_frames))
        )

    def frame_span(self, number: int) -> slice:
        """Return the frames of a window, in the session's numbering."""
        first = number * self.hop_frames
        return slice(first, first + len(self._windows[number]))

    def window(self, number: int) -> LocalVoices:
        """Return the voices of a window."""
        classes = self._windows[number].astype(np.float32) / np.float32(_SCALE)
        return LocalVoices(
            number * self.hop_frames, np.asarray(classes @ CLASS_VOICES[1:], np.float32), classes[:, :VOICES]
        )

    def speech_and_overlap(self, first: int, end: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the probabilities of any speech and of overlap, each of shape (end - first,).

        Averaged over the windows that hold a frame; 0 where none does.
        """
        sums = np.zeros((3, end - first), np.float32)
        for number in self.windows_in(first, end):
            classes, start = self._windows[number], number * self.hop_frames
            window_frames = slice(max(0, first - start), max(0, end - start))
            span = slice(max(0, start - first), max(0, start - first) + len(classes[window_frames]))
            sums[0, span] += classes[window_frames].sum(1, dtype=np.float32)
            sums[1, span] += classes[window_frames, VOICES:].sum(1, dtype=np.float32)
            sums[2, span] += np.float32(_SCALE)
        count = np.maximum(sums[2], 1)
        return sums[0] / count, sums[1] / count

"""Streaming binarization: from per-frame speaker probabilities to spans of speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A speaker is active from this probability on; the models are trained for it.
THRESHOLD = 0.5
# Shorter pauses do not end a span, and shorter speech does not begin one.
MIN_PAUSE_S, MIN_SPEECH_S = 0.25, 0.15


@dataclass(slots=True)
class ActiveSpan:
    """A span of speech of one speaker; frames count from the session's start."""

    number: int
    """0, 1, 2, ... in the order in which spans reached the minimum length."""
    speaker: int
    """1, 2, 3, ... in the order in which speakers first reached it."""
    start: int
    end: int
    closed: bool = False


@dataclass(slots=True)
class _Run:
    start: int
    last: int
    span: ActiveSpan | None = None
    """None until the minimum length is reached."""


class FrameActivity:
    """The spans of every speaker. A closed span never changes."""

    def __init__(self, frame_s: float, speakers: int) -> None:
        self._frame_s = frame_s
        self._pause_frames = max(1, round(MIN_PAUSE_S / frame_s))
        self._min_frames = max(1, round(MIN_SPEECH_S / frame_s))
        self._open: list[_Run | None] = [None] * speakers
        self._numbers: dict[int, int] = {}
        self._probabilities = np.zeros((1024, speakers), np.float16)  # more rows than frames: doubles when full
        self.frames = 0
        self.spans: list[ActiveSpan] = []

    def push(self, probabilities: NDArray[np.float32]) -> set[int]:
        """Process the next frames, shape (n, speakers), 0..1; return the numbers of the spans that changed."""
        changed: set[int] = set()
        self._store(probabilities)
        for row in probabilities >= THRESHOLD:
            for column, speaks in enumerate(row):
                self._step(column, bool(speaks), changed)
            self.frames += 1
        return changed

    def _store(self, probabilities: NDArray[np.float32]) -> None:
        while self.frames + len(probabilities) > len(self._probabilities):
            self._probabilities = np.concatenate([self._probabilities, np.zeros_like(self._probabilities)])
        self._probabilities[self.frames : self.frames + len(probabilities)] = probabilities

    def finish(self) -> set[int]:
        """End all open spans; return their numbers."""
        changed: set[int] = set()
        for column in range(len(self._open)):
            self._end(column, changed)
        return changed

    def _step(self, column: int, is_active: bool, changed: set[int]) -> None:
        run = self._open[column]
        if not is_active:
            if run is not None and self.frames - run.last >= self._pause_frames:
                self._end(column, changed)
            return
        if run is None:
            run = self._open[column] = _Run(self.frames, self.frames)
        run.last = self.frames
        if run.span is None and run.last + 1 - run.start >= self._min_frames:
            speaker = self._numbers.setdefault(column, len(self._numbers) + 1)
            run.span = ActiveSpan(len(self.spans), speaker, run.start, run.last + 1)
            self.spans.append(run.span)
        if run.span is not None:
            run.span.end = run.last + 1
            changed.add(run.span.number)

    def _end(self, column: int, changed: set[int]) -> None:
        run, self._open[column] = self._open[column], None
        if run is not None and run.span is not None:
            run.span.closed = True
            changed.add(run.span.number)

    def summed_probability(self, speaker: int, start_s: float, end_s: float) -> float:
        """Return the sum of a speaker's probabilities over the frames between two times."""
        column = next(c for c, number in self._numbers.items() if number == speaker)
        first, last = int(start_s / self._frame_s), min(self.frames, int(np.ceil(end_s / self._frame_s)))
        return float(self._probabilities[first:last, column].sum(dtype=np.float64))

    def single_speaker_spans(self, first: int) -> list[tuple[int, int, int]]:
        """Return (speaker, first frame, end frame) of each single-speaker span from frame ``first`` on."""
        active = self._probabilities[first : self.frames] >= THRESHOLD
        columns = np.where(active.sum(1) == 1, active.argmax(1), -1)
        borders = np.flatnonzero(np.diff(columns)) + 1
        found = []
        for start, end in zip([0, *borders], [*borders, len(columns)], strict=True):
            if end > start and (column := int(columns[start])) >= 0 and column in self._numbers:
                found.append((self._numbers[column], int(first + start), int(first + end)))
        return found

"""Simultaneous speech of a live session: who speaks beside the speaker who has the floor."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inference.diarization import (
    OnlineSpeakers,
    SegmentedWindows,
    Similarity,
    SpeakerSegment,
    SpeechSegment,
    overlapping_segments,
    speaker_activity,
)


class OverlappingVoices:
    """Assigns the voices of segmentation windows to provisional speakers."""

    def __init__(self, segmented: SegmentedWindows) -> None:
        """``segmented``: the session's windows; grows meanwhile."""
        self._segmented = segmented
        self._windows_searched = 0  # windows
        self._middles_s: list[float] = []  # of the speaker encoder's windows, ascending
        self._vectors: list[NDArray[np.float32]] = []

    def add_window(self, middle_s: float, vector: NDArray[np.float32]) -> None:
        """Add the speaker encoder's next window: its middle, seconds, and its embedding, shape (d,)."""
        self._middles_s.append(middle_s)
        self._vectors.append(vector)

    def new_since_s(self) -> float:
        """Return where the first voice window since the last call begins, seconds; infinite where there is none."""
        if self._windows_searched == len(self._segmented):
            return float("inf")
        since_s = self._segmented.grid.frame_start_s(self._segmented.frame_span(self._windows_searched).start)
        self._windows_searched = len(self._segmented)
        return since_s

    def find(
        self, number: int, segment: SpeechSegment, floor: list[SpeakerSegment], speakers: OnlineSpeakers
    ) -> list[SpeakerSegment]:
        """Return who speaks in a segment beside the speakers of ``floor``, as far as voice windows reach."""
        grid, labels = self._segmented.grid, speakers.labels
        first, end = grid.frame_at(segment.start_s), min(grid.frame_at(segment.end_s), self._segmented.frames)
        nearby = slice(
            bisect_left(self._middles_s, segment.start_s - self._segmented.window_s),
            bisect_right(self._middles_s, segment.end_s + self._segmented.window_s),
        )
        if end <= first or nearby.start == nearby.stop or len(labels) < 2:
            return []
        similarity = Similarity(np.array(self._middles_s[nearby]), speakers.similarity(np.stack(self._vectors[nearby])))
        activity = speaker_activity(self._segmented, similarity, first, end)
        columns = [replace(span, speaker=labels.index(span.speaker)) for span in floor]
        found = overlapping_segments(number, segment, columns, self._segmented, activity)
        return [replace(span, speaker=labels[span.speaker]) for span in found]

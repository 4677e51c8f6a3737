"""Simultaneous speech of a live session: who speaks beside the speaker who has the floor."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inference.diarization import (
    HeardVoices,
    OnlineSpeakers,
    Similarity,
    SpeakerSegment,
    SpeechSegment,
    activity_of,
    beside,
)


class BesideVoices:
    """Assigns the voices of segmentation windows to provisional speakers."""

    def __init__(self, heard: HeardVoices) -> None:
        """``heard``: the session's windows; grows meanwhile."""
        self._heard = heard
        self._looked_through = 0  # windows
        self._middles_s: list[float] = []  # of the speaker encoder's windows, ascending
        self._vectors: list[NDArray[np.float32]] = []

    def hear(self, middle_s: float, vector: NDArray[np.float32]) -> None:
        """Add the speaker encoder's next window: its middle, seconds, and its embedding, shape (d,)."""
        self._middles_s.append(middle_s)
        self._vectors.append(vector)

    def new_since_s(self) -> float:
        """Return where the first voice window since the last call begins, seconds; infinite where there is none."""
        if self._looked_through == len(self._heard):
            return float("inf")
        since_s = self._heard.grid.begins_s(self._heard.span_of(self._looked_through).start)
        self._looked_through = len(self._heard)
        return since_s

    def of(
        self, number: int, segment: SpeechSegment, floor: list[SpeakerSegment], speakers: OnlineSpeakers
    ) -> list[SpeakerSegment]:
        """Return who speaks in a segment beside the speakers of ``floor``, as far as voice windows reach."""
        grid, labels = self._heard.grid, speakers.labels
        first, end = grid.frame_at(segment.start_s), min(grid.frame_at(segment.end_s), self._heard.frames)
        near = slice(
            bisect_left(self._middles_s, segment.start_s - self._heard.window_s),
            bisect_right(self._middles_s, segment.end_s + self._heard.window_s),
        )
        if end <= first or near.start == near.stop or len(labels) < 2:
            return []
        similarity = Similarity(np.array(self._middles_s[near]), speakers.similarity(np.stack(self._vectors[near])))
        activity = activity_of(self._heard, similarity, first, end)
        columns = [replace(piece, speaker=labels.index(piece.speaker)) for piece in floor]
        found = beside(number, segment, columns, self._heard, activity)
        return [replace(piece, speaker=labels[piece.speaker]) for piece in found]

"""Simultaneous speech of a live session: who speaks beside the speaker who has the floor."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inference.diarization import (
    ACTIVITY_WEIGHT,
    OnlineSpeakers,
    SegmentedWindows,
    Similarity,
    SpeakerActivity,
    SpeakerSegment,
    SpeechSegment,
    frame_middles_s,
    overlapping_segments,
    speaker_activity,
)


class OverlappingVoices:
    """Assigns the voices of segmentation windows to provisional speakers."""

    def __init__(self, segmented: SegmentedWindows) -> None:
        """``segmented``: the session's windows; grows meanwhile."""
        self._segmented = segmented
        self._windows_searched = self._frames_searched = 0  # a preview counts for the frames alone
        self._middles_s: list[float] = []  # of the speaker encoder's windows, ascending
        self._vectors: list[NDArray[np.float32]] = []

    def add_window(self, middle_s: float, vector: NDArray[np.float32]) -> None:
        """Add the speaker encoder's next window: its middle, seconds, and its embedding, shape (d,)."""
        self._middles_s.append(middle_s)
        self._vectors.append(vector)

    def new_since_s(self) -> float:
        """Return where the first voice window since the last call begins, seconds; infinite where there is none.

        A preview counts too.
        """
        if self._frames_searched == self._segmented.frames and self._windows_searched == len(self._segmented):
            return float("inf")
        self._frames_searched = self._segmented.frames
        since_s = self._segmented.grid.frame_start_s(self._segmented.frame_span(self._windows_searched).start)
        self._windows_searched = len(self._segmented)
        return since_s

    @property
    def is_preview(self) -> bool:
        """Whether the last window is a preview: silence was taken to follow."""
        return self._segmented.has_preview

    @property
    def reaches_s(self) -> float:
        """Until when voice windows reach, seconds."""
        return self._segmented.grid.frame_start_s(self._segmented.frames)

    @property
    def settled_s(self) -> float:
        """Until when no further voice window reaches back, seconds."""
        return self._segmented.grid.frame_start_s(self._segmented.settled_frames)

    def windows_over(self, segment: SpeechSegment) -> int:
        """Return how many voice windows reach into a segment."""
        grid = self._segmented.grid
        return len(self._segmented.windows_in(grid.frame_at(segment.start_s), grid.frame_at(segment.end_s)))

    def nearby(self, segment: SpeechSegment) -> tuple[NDArray[np.float64], NDArray[np.float32]] | None:
        """Return middles (seconds) and embeddings of the windows in a segment and next to it; None without any."""
        first, end = bisect_left(self._middles_s, segment.start_s), bisect_right(self._middles_s, segment.end_s)
        near = slice(max(0, first - 1), end + 1)
        if not self._middles_s[near]:
            return None
        return np.array(self._middles_s[near]), np.stack(self._vectors[near])

    def activity(self, segment: SpeechSegment, speakers: OnlineSpeakers) -> SpeakerActivity | None:
        """Return the activity of each voice in a segment, as far as voice windows reach; None where they do not."""
        grid = self._segmented.grid
        first, end = grid.frame_at(segment.start_s), min(grid.frame_at(segment.end_s), self._segmented.frames)
        nearby = slice(
            bisect_left(self._middles_s, segment.start_s - self._segmented.window_s),
            bisect_right(self._middles_s, segment.end_s + self._segmented.window_s),
        )
        if end <= first or nearby.start == nearby.stop or speakers.voices < 2:
            return None
        similarity = Similarity(np.array(self._middles_s[nearby]), speakers.similarity(np.stack(self._vectors[nearby])))
        return speaker_activity(self._segmented, similarity, first, end)

    def floor_bonus(self, segment: SpeechSegment, activity: SpeakerActivity) -> NDArray[np.float32]:
        """Return what activity adds to the similarity of each 0.1 s frame to each voice, shape (frames, voices)."""
        frames = np.array([self._segmented.grid.frame_at(time_s) for time_s in frame_middles_s(segment)])
        own = np.clip(frames - activity.first, 0, len(activity.speakers) - 1)
        reached = frames < activity.first + len(activity.speakers)
        return np.asarray(ACTIVITY_WEIGHT * activity.speakers[own] * reached[:, None], np.float32)

    def find(
        self,
        number: int,
        segment: SpeechSegment,
        floor: list[SpeakerSegment],
        speakers: OnlineSpeakers,
    ) -> list[SpeakerSegment]:
        """Return who speaks in a segment beside the speakers of ``floor``, as far as voice windows reach."""
        activity = self.activity(segment, speakers)
        if activity is None:
            return []
        labels = speakers.labels
        columns = [replace(span, speaker=labels.index(span.speaker)) for span in floor]
        found = overlapping_segments(number, segment, columns, self._segmented, activity)
        return [replace(span, speaker=labels[span.speaker]) for span in found]

"""Speech of a live session that the voice segmentation detects and the voice activity detector does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inference.diarization import SegmentedWindows, SpeechSegment, detected_speech, join_speech

# Numbers of speech segments of the segmentation alone begin here: the detector's never reach it.
FIRST_NUMBER = 1_000_000
# New windows are looked at from so long before them on, seconds: speech across their start is found whole.
LOOK_BACK_S = 1.0
# Speech that ends this close to the end of what was segmented may go on, seconds.
MAY_GO_ON_S = 0.3


class DetectedSpeech:
    """Joins the detector's segments with speech of the segmentation, as at the session's end, window by window."""

    def __init__(self, segmented: SegmentedWindows) -> None:
        """``segmented``: the session's windows; grows meanwhile."""
        self._segmented = segmented
        self._grown: dict[int, SpeechSegment] = {}  # the detector's segments, by number
        self._alone: dict[int, SpeechSegment] = {}  # segments of the segmentation alone, by number

    def join(self, number: int, segment: SpeechSegment) -> SpeechSegment:
        """Return a segment of the detector with the speech around it."""
        grown = self._grown.get(number)
        if grown is None:
            return segment
        return SpeechSegment(min(grown.start_s, segment.start_s), max(grown.end_s, segment.end_s))

    def update(
        self, since_s: float, until_s: float, detector: Mapping[int, SpeechSegment], *, ended: bool
    ) -> tuple[dict[int, SpeechSegment], set[int]]:
        """Look for speech where new windows have come.

        Args:
            since_s: where to begin, seconds: ``LOOK_BACK_S`` before the first new window.
            until_s: end of the audio that the windows hold, seconds.
            detector: the detector's segments that end after ``since_s``, by number, by time.
            ended: speech at ``until_s`` is taken to end there.

        Returns:
            The segments of the segmentation alone that are new or changed, by number, and the numbers of those that
            are gone.
        """
        first = self._segmented.grid.frame_at(max(0.0, since_s))
        found = detected_speech(self._segmented, until_s, first)
        joined = join_speech(list(detector.values()), found)
        for (number, segment), grown in zip(detector.items(), joined, strict=False):
            if grown != segment:
                self._grown[number] = grown
        before = {number: segment for number, segment in self._alone.items() if segment.end_s > since_s}
        now = {}
        for segment in joined[len(detector) :]:
            if ended or segment.end_s < until_s - MAY_GO_ON_S:
                known = next((number for number, other in before.items() if _overlap(segment, other)), None)
                if known is not None and before[known].start_s < since_s:
                    segment = replace(segment, start_s=before[known].start_s)
                now[FIRST_NUMBER + int(10 * segment.start_s) if known is None else known] = segment
        gone = set(before) - set(now)
        for number in gone:
            del self._alone[number]
        self._alone.update(now)
        return {number: segment for number, segment in now.items() if before.get(number) != segment}, gone


def _overlap(one: SpeechSegment, other: SpeechSegment) -> bool:
    return one.start_s < other.end_s and other.start_s < one.end_s

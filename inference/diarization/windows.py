"""Windows of speech for the speaker encoder."""

from __future__ import annotations

from dataclasses import dataclass

from inference.diarization.speech_segments import SpeechSegment

# Encoders need at least this much; shorter windows are widened around their middle, seconds.
MIN_S = 0.4
# A shorter rest of a segment gets no window of its own, seconds.
MIN_REST_S = 0.1


@dataclass(frozen=True, slots=True)
class EncoderWindow:
    """A window within speech segment number ``segment``; seconds from the session's start."""

    start_s: float
    end_s: float
    segment: int

    @property
    def middle_s(self) -> float:
        """Middle of the window, seconds."""
        return (self.start_s + self.end_s) / 2

    def encoder_span(self) -> tuple[float, float]:
        """Return the span that the encoder processes: at least 0.4 s around the middle."""
        if self.end_s - self.start_s >= MIN_S:
            return self.start_s, self.end_s
        return self.middle_s - MIN_S / 2, self.middle_s + MIN_S / 2


class WindowPlan:
    """Plans the windows of one segment; each is returned as soon as the segment covers it."""

    def __init__(self, segment: int, length_s: float, hop_s: float) -> None:
        """``segment``: number of the speech segment; ``length_s`` and ``hop_s``: of windows, seconds."""
        self._segment, self._length_s, self._hop_s = segment, length_s, hop_s
        self._planned = 0

    def grow(self, segment: SpeechSegment) -> list[EncoderWindow]:
        """Return the new windows within the segment as far as it is known."""
        if segment.end_s - segment.start_s <= self._length_s:
            return []
        count = int((segment.end_s - segment.start_s - self._length_s) // self._hop_s) + 1
        new = [self._full(segment.start_s + index * self._hop_s) for index in range(self._planned, count)]
        self._planned = max(self._planned, count)
        return new

    def finish(self, segment: SpeechSegment) -> list[EncoderWindow]:
        """Return the rest: one short window for a short segment, one at the end for a long one."""
        if segment.end_s - segment.start_s <= self._length_s:
            return [EncoderWindow(segment.start_s, segment.end_s, self._segment)]
        windows = self.grow(segment)
        reached = segment.start_s + (self._planned - 1) * self._hop_s + self._length_s
        if reached < segment.end_s - MIN_REST_S:
            windows.append(EncoderWindow(segment.end_s - self._length_s, segment.end_s, self._segment))
        return windows

    def _full(self, start_s: float) -> EncoderWindow:
        return EncoderWindow(start_s, start_s + self._length_s, self._segment)

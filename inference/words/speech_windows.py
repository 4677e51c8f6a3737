"""Speech packed into windows for the recogniser: long ones, cut where nobody speaks.

A window depends on the audio alone, never on how it came: what a live meeting says for good is what an upload of the
same audio says.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inference.diarization import SpeechRule, SpeechSegment
from inference.models import SAMPLE_RATE_HZ, Samples
from inference.stages import AudioBuffer

# Speech is heard with what is around it: the first and last sounds of a word are faint.
AROUND_SAMPLES = int(0.2 * SAMPLE_RATE_HZ)
# Speech that is noticed next is taken up so much before: what is heard by then is not all that there is to say of it.
TAKEN_UP_BEFORE_SAMPLES = AROUND_SAMPLES + int(SpeechRule().lead_s * SAMPLE_RATE_HZ)
# Pauses under this are heard as they are; longer ones are left out.
JOINED_SAMPLES = int(0.5 * SAMPLE_RATE_HZ)
# A full window is cut at the longest pause in this last share of it; without one, where speech is least likely.
CUT_WITHIN = 0.4
# From this probability on a window of the detector bounds a word: words then begin and end within 0.04 s of where they
# do (median), against 0.1 and 0.3 s as the recogniser tells it.
VOICED = 0.35
# A window is closed at the latest so long after it began: where little is said, words are final all the same.
MAX_WAIT_SAMPLES = 30 * SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the session, samples; what is heard of it lies in ``samples``."""

    start: int
    samples: Samples

    @property
    def end(self) -> int:
        return self.start + len(self.samples)


@dataclass(frozen=True, slots=True)
class SpeechWindow:
    """Spans of speech, one after another, in the order of time."""

    spans: tuple[Span, ...]
    voiced: NDArray[np.bool_]
    """Which windows of the detector hold speech, from the one in which the first span begins, shape (windows,)."""
    vad_window_samples: int

    @property
    def start(self) -> int:
        """First sample."""
        return self.spans[0].start

    @property
    def end(self) -> int:
        """The sample after the last."""
        return self.spans[-1].end

    @property
    def samples(self) -> Samples:
        """What the recogniser hears, shape (n,)."""
        return np.concatenate([span.samples for span in self.spans])

    def place(self, start_s: float, end_s: float) -> tuple[float, float]:
        """A word's place in the window as its place in the session, seconds.

        It lies within the span that holds its middle; and there it begins and ends with speech, since a recogniser
        gives a pause to the word before it.
        """
        middle = (start_s + end_s) / 2 * SAMPLE_RATE_HZ
        before = 0
        for span in self.spans:
            if middle < before + len(span.samples) or span is self.spans[-1]:
                break
            before += len(span.samples)
        shift_s = (span.start - before) / SAMPLE_RATE_HZ
        first_s, last_s = span.start / SAMPLE_RATE_HZ, span.end / SAMPLE_RATE_HZ
        begins_s = min(max(start_s + shift_s, first_s), last_s)
        return self._within_speech(begins_s, min(max(end_s + shift_s, begins_s), last_s))

    def _within_speech(self, start_s: float, end_s: float) -> tuple[float, float]:
        window_s = self.vad_window_samples / SAMPLE_RATE_HZ
        base = self.start // self.vad_window_samples
        first = int(start_s / window_s) - base
        voiced = np.flatnonzero(self.voiced[max(0, first) : int(np.ceil(end_s / window_s)) - base]) + max(0, first)
        if not len(voiced):
            return start_s, end_s
        begins_s, ends_s = (base + int(voiced[0])) * window_s, (base + int(voiced[-1]) + 1) * window_s
        return max(start_s, begins_s), min(end_s, ends_s)


class SpeechPacker:
    """Packs the speech of one session. Calls come in the order of time."""

    def __init__(self, window_s: float, vad_window_samples: int) -> None:
        """``window_s``: the longest a window may be; ``vad_window_samples``: of the detector."""
        self._longest = int(window_s * SAMPLE_RATE_HZ)
        self._vad_window = vad_window_samples
        self._spans: list[Span] = []
        self._open: int | None = None  # where the segment under way is taken up
        self._cut = 0  # speech before is in a window
        self._probabilities = np.zeros(0, np.float32)  # of the detector's windows that a window may still hold
        self._heard = 0

    def note_speech(self, probabilities: NDArray[np.float32]) -> None:
        """Remembers how likely the last windows of the detector hold speech."""
        self._heard += len(probabilities) * self._vad_window
        first = self.first_waiting
        waiting = 0 if first is None else (self._heard - first) // self._vad_window + 1
        keep = max(waiting, 2 * self._longest // self._vad_window)
        self._probabilities = np.concatenate([self._probabilities, probabilities])[-keep:]

    @property
    def first_waiting(self) -> int | None:
        """First sample of speech that is in no window yet; None where there is none."""
        if self._spans:
            return self._spans[0].start
        return self._open

    def follow(self, under_way: SpeechSegment, audio: AudioBuffer) -> tuple[list[SpeechWindow], int]:
        """The segment has come so far: the windows that are full now, and the first sample still needed."""
        start = self._begin(under_way.start_s)
        self._open = start
        # The detector's last window may reach beyond the end of the session.
        heard = min(self._heard, audio.end)
        windows = []
        while self._length() + (heard - start) > self._longest:
            rest = Span(start, audio.span(start, heard).copy())
            windows.append(self._close_full([*self._spans, rest]))
            # What is left of the segment goes on being followed.
            left = self._spans.pop()
            start = self._open = left.start
        return windows, start

    def close_segment(self, segment: SpeechSegment, audio: AudioBuffer) -> list[SpeechWindow]:
        """The segment has ended: the windows that are full now."""
        start = self._begin(segment.start_s)
        self._open = None
        end = min(audio.end, int(segment.end_s * SAMPLE_RATE_HZ) + AROUND_SAMPLES)
        if end <= start:
            return []
        span = Span(start, audio.span(start, end).copy())
        windows = []
        self._add(span)
        while self._length() > self._longest:
            windows.append(self._close_full(self._spans))
        return windows

    def abandon_segment(self) -> None:
        """What seemed to be a segment was none."""
        self._open = None

    def overdue(self) -> list[SpeechWindow]:
        """The window that has waited long enough, between two segments."""
        if self._open is None and self._spans and self._heard - self._spans[0].start >= MAX_WAIT_SAMPLES:
            return self.finish()
        return []

    def finish(self) -> list[SpeechWindow]:
        """What is left."""
        spans, self._spans = self._spans, []
        return [self._window(spans)] if spans else []

    def _window(self, spans: list[Span]) -> SpeechWindow:
        self._cut = spans[-1].end
        base = self._heard // self._vad_window - len(self._probabilities)
        first, last = spans[0].start // self._vad_window, -(-self._cut // self._vad_window)
        voiced = self._probabilities[max(0, first - base) : last - base] >= VOICED
        return SpeechWindow(tuple(spans), voiced, self._vad_window)

    def _begin(self, start_s: float) -> int:
        """Where a segment is taken up: with what is around it, but nothing twice."""
        start = max(self._cut, int(start_s * SAMPLE_RATE_HZ) - AROUND_SAMPLES, 0)
        return self._joined(start)

    def _joined(self, start: int) -> int:
        if self._spans and start - self._spans[-1].end < JOINED_SAMPLES:
            return self._spans[-1].end
        return start

    def _add(self, span: Span) -> None:
        if self._spans and span.start == self._spans[-1].end:
            last = self._spans.pop()
            span = Span(last.start, np.concatenate([last.samples, span.samples]))
        self._spans.append(span)

    def _length(self) -> int:
        return sum(len(span.samples) for span in self._spans)

    def _close_full(self, spans: list[Span]) -> SpeechWindow:
        """Cuts a window off spans that are longer than one; the rest is kept."""
        place = self._pause(spans)
        if place is not None:
            window, rest = spans[:place], spans[place:]
        else:
            window, rest = self._cut_in_speech(spans)
        self._spans = list(rest)
        return self._window(list(window))

    def _pause(self, spans: list[Span]) -> int | None:
        """Before which span to cut: at the longest pause near the end of the window; None where there is none."""
        filled, best, longest = 0, None, 0
        for place, (before, after) in enumerate(pairwise(spans), start=1):
            filled += len(before.samples)
            pause = after.start - before.end
            near_end = (1 - CUT_WITHIN) * self._longest <= filled <= self._longest
            if near_end and pause > 0 and pause >= longest:
                best, longest = place, pause
        return best

    def _cut_in_speech(self, spans: list[Span]) -> tuple[list[Span], list[Span]]:
        """Cuts the span that crosses the limit in the middle of the window of the detector least likely speech."""
        filled, place = 0, 0
        while filled + len(spans[place].samples) <= self._longest:
            filled += len(spans[place].samples)
            place += 1
        span = spans[place]
        limit = span.start + self._longest - filled
        earliest = max(span.start + self._vad_window, limit - int(CUT_WITHIN * self._longest))
        cut = self._quietest(earliest, limit)
        before = Span(span.start, span.samples[: cut - span.start])
        after = Span(cut, span.samples[cut - span.start :])
        return [*spans[:place], before], [after, *spans[place + 1 :]]

    def _quietest(self, earliest: int, limit: int) -> int:
        base = self._heard // self._vad_window - len(self._probabilities)
        first, last = max(base, -(-earliest // self._vad_window)), limit // self._vad_window
        known = self._probabilities[first - base : max(0, last - base)]
        if not len(known):
            return limit
        return (first + int(known.argmin())) * self._vad_window + self._vad_window // 2

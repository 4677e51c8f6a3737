"""Packing speech into long windows for the recogniser, cut in pauses.

Windows depend on the audio alone, never on how it arrives: a live meeting and an upload of the same audio get the same
final words.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inference.diarization import SpeechRule, SpeechSegment
from inference.models import SAMPLE_RATE_HZ, Samples
from inference.stages import AudioBuffer

# Context kept around speech: the first and last sounds of a word are faint.
CONTEXT_SAMPLES = int(0.2 * SAMPLE_RATE_HZ)
# New speech may begin this long before the samples processed so far, so windows may still reach back to there.
LOOKBACK_SAMPLES = CONTEXT_SAMPLES + int(SpeechRule().lead_s * SAMPLE_RATE_HZ)
# Shorter pauses are kept in a window; longer ones are left out.
MAX_KEPT_PAUSE_SAMPLES = int(0.5 * SAMPLE_RATE_HZ)
# A full window is cut at the longest pause in this last share of it; without one, where speech is least likely.
CUT_REGION_SHARE = 0.4
# A detector window is voiced from this probability on. Word borders moved to voiced windows are within 0.04 s of the
# true ones (median), against 0.1 and 0.3 s as the recogniser reports them.
MIN_VOICED_PROBABILITY = 0.35
# A window closes at the latest this long after its start, so that words become final even where little is said.
MAX_WAIT_SAMPLES = 30 * SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Span:
    """A span of the session's audio; ``start`` in samples."""

    start: int
    samples: Samples

    @property
    def end(self) -> int:
        """The sample after the last."""
        return self.start + len(self.samples)


@dataclass(frozen=True, slots=True)
class SpeechWindow:
    """Spans of speech, concatenated in order of time."""

    spans: tuple[Span, ...]
    voiced: NDArray[np.bool_]
    """Which detector windows hold speech, from that of the first span's start on, shape (windows,)."""
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
        """The recogniser's input, shape (n,)."""
        return np.concatenate([span.samples for span in self.spans])

    def to_session_times(self, start_s: float, end_s: float) -> tuple[float, float]:
        """Map a word's times in the window to times in the session, seconds.

        The result lies within the span that holds the word's middle, and begins and ends with voiced windows:
        recognisers add a pause to the word before it.
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
    """Packs the speech of one session. Calls come in order of time."""

    def __init__(self, window_s: float, vad_window_samples: int) -> None:
        """``window_s``: maximum length of a window, seconds; ``vad_window_samples``: length of a detector window."""
        self._max_samples = int(window_s * SAMPLE_RATE_HZ)
        self._vad_window = vad_window_samples
        self._spans: list[Span] = []
        self._open: int | None = None  # start of the ongoing segment, context included
        self._cut = 0  # speech before this sample is in a window
        self._probabilities = np.zeros(0, np.float32)  # of detector windows that a window may still hold
        self._processed = 0

    def add_speech_probabilities(self, probabilities: NDArray[np.float32]) -> None:
        """Record the speech probabilities of the detector's next windows, shape (n,)."""
        self._processed += len(probabilities) * self._vad_window
        first = self.first_pending
        waiting = 0 if first is None else (self._processed - first) // self._vad_window + 1
        keep = max(waiting, 2 * self._max_samples // self._vad_window)
        self._probabilities = np.concatenate([self._probabilities, probabilities])[-keep:]

    @property
    def first_pending(self) -> int | None:
        """First sample of speech that is in no window yet; None where there is none."""
        if self._spans:
            return self._spans[0].start
        return self._open

    def extend_segment(self, ongoing: SpeechSegment, audio: AudioBuffer) -> tuple[list[SpeechWindow], int]:
        """Extend the ongoing segment; return the windows now full, and the first sample still needed."""
        start = self._begin(ongoing.start_s)
        self._open = start
        # The detector's last window may reach beyond the session's end.
        processed = min(self._processed, audio.end)
        windows = []
        while self._length() + (processed - start) > self._max_samples:
            rest = Span(start, audio.span(start, processed).copy())
            windows.append(self._close_full([*self._spans, rest]))
            # The rest of the segment stays open.
            left = self._spans.pop()
            start = self._open = left.start
        return windows, start

    def close_segment(self, segment: SpeechSegment, audio: AudioBuffer) -> list[SpeechWindow]:
        """End the segment; return the windows now full."""
        start = self._begin(segment.start_s)
        self._open = None
        end = min(audio.end, int(segment.end_s * SAMPLE_RATE_HZ) + CONTEXT_SAMPLES)
        if end <= start:
            return []
        span = Span(start, audio.span(start, end).copy())
        windows = []
        self._add(span)
        while self._length() > self._max_samples:
            windows.append(self._close_full(self._spans))
        return windows

    def abandon_segment(self) -> None:
        """Discard the ongoing segment, if any: it was too short to be speech."""
        self._open = None

    def overdue(self) -> list[SpeechWindow]:
        """Return the window that has waited long enough, where no segment is ongoing."""
        if self._open is None and self._spans and self._processed - self._spans[0].start >= MAX_WAIT_SAMPLES:
            return self.finish()
        return []

    def finish(self) -> list[SpeechWindow]:
        """Return the last window, where speech is left."""
        spans, self._spans = self._spans, []
        return [self._window(spans)] if spans else []

    def _window(self, spans: list[Span]) -> SpeechWindow:
        self._cut = spans[-1].end
        base = self._processed // self._vad_window - len(self._probabilities)
        first, last = spans[0].start // self._vad_window, -(-self._cut // self._vad_window)
        voiced = self._probabilities[max(0, first - base) : last - base] >= MIN_VOICED_PROBABILITY
        return SpeechWindow(tuple(spans), voiced, self._vad_window)

    def _begin(self, start_s: float) -> int:
        """Return a segment's start with context before it, without overlapping earlier spans."""
        start = max(self._cut, int(start_s * SAMPLE_RATE_HZ) - CONTEXT_SAMPLES, 0)
        return self._joined(start)

    def _joined(self, start: int) -> int:
        if self._spans and start - self._spans[-1].end < MAX_KEPT_PAUSE_SAMPLES:
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
        """Cut a window off spans longer than one; keep the rest."""
        index = self._longest_pause_index(spans)
        if index is not None:
            window, rest = spans[:index], spans[index:]
        else:
            window, rest = self._cut_in_speech(spans)
        self._spans = list(rest)
        return self._window(list(window))

    def _longest_pause_index(self, spans: list[Span]) -> int | None:
        """Return the span index to cut before, at the longest pause near the window's end; None without one."""
        filled, best_index, longest = 0, None, 0
        for index, (before, after) in enumerate(pairwise(spans), start=1):
            filled += len(before.samples)
            pause = after.start - before.end
            near_end = (1 - CUT_REGION_SHARE) * self._max_samples <= filled <= self._max_samples
            if near_end and pause > 0 and pause >= longest:
                best_index, longest = index, pause
        return best_index

    def _cut_in_speech(self, spans: list[Span]) -> tuple[list[Span], list[Span]]:
        """Cut the span that crosses the limit, in the middle of the least speech-like detector window."""
        filled, index = 0, 0
        while filled + len(spans[index].samples) <= self._max_samples:
            filled += len(spans[index].samples)
            index += 1
        span = spans[index]
        limit = span.start + self._max_samples - filled
        earliest = max(span.start + self._vad_window, limit - int(CUT_REGION_SHARE * self._max_samples))
        cut = self._quietest(earliest, limit)
        before = Span(span.start, span.samples[: cut - span.start])
        after = Span(cut, span.samples[cut - span.start :])
        return [*spans[:index], before], [after, *spans[index + 1 :]]

    def _quietest(self, earliest: int, limit: int) -> int:
        base = self._processed // self._vad_window - len(self._probabilities)
        first, last = max(base, -(-earliest // self._vad_window)), limit // self._vad_window
        known = self._probabilities[first - base : max(0, last - base)]
        if not len(known):
            return limit
        return (first + int(known.argmin())) * self._vad_window + self._vad_window // 2

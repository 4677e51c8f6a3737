"""Final words of a session: its speech in long windows, each transcribed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from inference.diarization import SpeechSegment
from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, WindowRecogniser, WindowTask
from inference.stages import AudioBuffer
from inference.words.language_tracker import LanguageTracker
from inference.words.pending_tasks import PendingTasks
from inference.words.speech_windows import LOOKBACK_SAMPLES, SpeechPacker, SpeechWindow

# Windows submitted at once. Recordings wait for words, so that audio does not pile up in memory; live, diarization must
# not wait for late words. More than the windows that wait for the language to settle.
MAX_PENDING_WINDOWS, MAX_PENDING_WINDOWS_LIVE = 4, 64
# After this much audio the language settles by what was heard, even if that is a single word.
MAX_LANGUAGE_WAIT_SAMPLES = 60 * SAMPLE_RATE_HZ


@dataclass(slots=True)
class _Segment:
    """A speech segment and its words."""

    number: int
    start_s: float
    end_s: float
    words: list[RecognisedWord] = field(default_factory=list)
    """Final words."""

    def overlap_s(self, word: RecognisedWord) -> float:
        """Return the overlap with a word, seconds; the negated gap where there is none."""
        return min(word.end_s, self.end_s) - max(word.start_s, self.start_s)


class WindowRecognition:
    """WordStage of a recording, and the final pass of a live session: each word comes once and is final."""

    def __init__(
        self,
        engine: ModelEngine,
        owner: Hashable,
        on_change: Callable[[], None],
        *,
        language: str,
        key_terms: tuple[str, ...],
        live: bool,
    ) -> None:
        """
        Args:
            engine: runs the models.
            owner: the session.
            on_change: called when words have arrived.
            language: one of the recogniser's; empty: detected.
            key_terms: terms that may be spoken, as they are spelled.
            live: somebody is listening.
        """
        model = engine.models.recogniser
        assert isinstance(model, WindowRecogniser)
        self._engine, self._owner, self._live = engine, owner, live
        self._key_terms = key_terms if model.uses_key_terms else ()
        self._language_given = bool(language)
        self._languages = LanguageTracker(model.languages, language)
        self._packer = SpeechPacker(model.max_window_s, engine.models.vad.window_samples)
        self._pending = PendingTasks(self._on_words, on_change)
        self._submitted = 0
        self._first_start: int | None = None  # of the first window, while the language may be unsettled
        self._words: list[RecognisedWord] = []
        self._segments: dict[int, _Segment] = {}  # those that a later window may hold
        self._final_spans: list[tuple[float, float]] = []  # since the last ``pop_final_spans``
        self._changed_segments: set[int] = set()

    @property
    def language(self) -> str:
        """Language of the last window judged, or the given one; empty before any."""
        return self._languages.current

    @property
    def main_language(self) -> str:
        """Language of most of the speech judged so far; empty before any."""
        return self._languages.main_language

    def confidence_in(self, language: str) -> float | None:
        """Return the confidence of a language, 0..1; None where it was not detected."""
        return self._languages.confidence_in(language)

    def add_speech_probabilities(self, probabilities: NDArray[np.float32]) -> None:
        """Record the speech probabilities of the detector's next windows, shape (n,), 0..1."""
        self._packer.add_speech_probabilities(probabilities)

    async def advance(self, audio: AudioBuffer, processed: int) -> int:
        """Submit the window that waited long enough; return the first sample still needed outside segments."""
        for window in self._packer.overdue():
            await self._submit(window)
        if self._first_start is not None and processed - self._first_start >= MAX_LANGUAGE_WAIT_SAMPLES:
            self._languages.settle_after(self._submitted)
            self._first_start = None
        return processed

    async def extend_segment(self, number: int, ongoing: SpeechSegment, audio: AudioBuffer, processed: int) -> int:
        """Submit the windows that an ongoing segment fills; return the first sample still needed."""
        self._update_segment(number, ongoing)
        windows, needed = self._packer.extend_segment(ongoing, audio)
        for window in windows:
            await self._submit(window)
        return needed

    def abandon_segment(self) -> None:
        """Discard the ongoing segment, if any: it was too short to be speech."""
        self._packer.abandon_segment()

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Submit the windows that the rest of a segment fills."""
        self._update_segment(number, segment)
        for window in self._packer.close_segment(segment, audio):
            await self._submit(window)

    async def flush_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Do nothing: each window is transcribed once."""

    def first_pending_sample(self) -> int | None:
        """Return the first sample of speech without words; None where nothing is pending."""
        starts = [window.start for window in self._pending]
        if (first := self._packer.first_pending) is not None:
            starts.append(first)
        return min(starts, default=None)

    def final_through(self, processed: int) -> int:
        """Return the sample up to which words are final, once ``processed`` samples are processed."""
        settled = max(0, processed - LOOKBACK_SAMPLES)
        pending = self.first_pending_sample()
        return settled if pending is None else min(settled, pending)

    def pop_changed_segments(self) -> set[int]:
        """Return the segments that got words since the last call. Raises what the recogniser raises."""
        self._pending.collect_done()
        changed_segments, self._changed_segments = self._changed_segments, set()
        return changed_segments

    def pop_final_spans(self) -> list[tuple[float, float]]:
        """Return the spans transcribed since the last call, (start, end) in seconds."""
        spans, self._final_spans = self._final_spans, []
        return spans

    def segment_words(self, number: int) -> list[RecognisedWord]:
        """Return the words of a segment so far, by time."""
        known = self._segments.get(number)
        return sorted(known.words, key=_by_time) if known else []

    def awaits_words(self, number: int) -> bool:
        """Return whether speech of the segment is pending."""
        known, pending = self._segments.get(number), self.first_pending_sample()
        return known is not None and pending is not None and pending < known.end_s * SAMPLE_RATE_HZ

    def drop_before(self, sample: int) -> None:
        """Do nothing: ``finish`` returns every word again."""

    async def finish(self, audio: AudioBuffer) -> list[RecognisedWord]:
        """Transcribe the rest; return every word by time. Raises what the recogniser raises."""
        for window in self._packer.finish():
            await self._submit(window)
        self._languages.settle_after(self._submitted)
        await self._pending.wait(at_most=0)
        return sorted(self._words, key=_by_time)

    async def close(self) -> None:
        """Cancel pending windows and wait until they have stopped."""
        await self._pending.close()

    def drop_segment(self, number: int) -> None:
        """Drop a segment that no later window reaches."""
        self._segments.pop(number, None)

    def _update_segment(self, number: int, segment: SpeechSegment) -> None:
        known = self._segments.setdefault(number, _Segment(number, segment.start_s, segment.end_s))
        known.end_s = segment.end_s

    async def _submit(self, window: SpeechWindow) -> None:
        await self._pending.wait(at_most=(MAX_PENDING_WINDOWS_LIVE if self._live else MAX_PENDING_WINDOWS) - 1)
        if not self._submitted:
            self._first_start = window.start
        self._pending.start(window, self._recognise(self._submitted, window))
        self._submitted += 1

    async def _recognise(self, number: int, window: SpeechWindow) -> list[RecognisedWord]:
        samples = window.samples
        encoded = await self._engine.encode_window(self._owner, samples)
        language = await self._languages.language_of(number, encoded.languages, len(samples) / SAMPLE_RATE_HZ)
        task = WindowTask(encoded, language, self._key_terms, self._language_given)
        words = await self._engine.decode_window(self._owner, task)
        session_words = []
        for word in words:
            start_s, end_s = window.to_session_times(word.start_s, word.end_s)
            session_words.append(replace(word, start_s=start_s, end_s=end_s))
        return session_words

    def _on_words(self, window: SpeechWindow, words: list[RecognisedWord]) -> None:
        self._words += words
        # Not the windows: their audio would be kept for as long as the session.
        self._final_spans += [(span.start / SAMPLE_RATE_HZ, span.end / SAMPLE_RATE_HZ) for span in window.spans]
        first_s, last_s = window.start / SAMPLE_RATE_HZ, window.end / SAMPLE_RATE_HZ
        overlapping = [s for s in self._segments.values() if s.end_s > first_s and s.start_s < last_s]
        for word in words:
            if overlapping:
                max(overlapping, key=lambda segment: segment.overlap_s(word)).words.append(word)
        self._changed_segments.update(segment.number for segment in overlapping)


def _by_time(word: RecognisedWord) -> tuple[float, float]:
    return word.start_s, word.end_s

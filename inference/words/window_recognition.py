"""Final words of a session: its speech in long windows, each transcribed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from inference.diarization import SpeechSegment
from inference.engine import Engine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, WindowRecogniser, WindowTask
from inference.stages import AudioBuffer
from inference.words.speech_windows import TAKEN_UP_BEFORE_SAMPLES, SpeechPacker, SpeechWindow
from inference.words.spoken_language import SpokenLanguage
from inference.words.work_under_way import WorkUnderWay

# Windows submitted at once. Recordings wait for words, so that audio does not pile up in memory; live, diarization must
# not wait for late words. More than the windows that wait for the language to settle.
WINDOWS_AT_ONCE, WINDOWS_AT_ONCE_LIVE = 4, 64
# After this much audio the language settles by what was heard, even if that is a single word.
LANGUAGE_WAITS_SAMPLES = 60 * SAMPLE_RATE_HZ


@dataclass(slots=True)
class _Segment:
    """A speech segment and its words."""

    number: int
    start_s: float
    end_s: float
    words: list[RecognisedWord] = field(default_factory=list)
    """Final words."""

    def closeness(self, word: RecognisedWord) -> float:
        """Return the overlap with a word, seconds; the negated gap where there is none."""
        return min(word.end_s, self.end_s) - max(word.start_s, self.start_s)


class WindowRecognition:
    """WordStage of a recording, and the final pass of a live session: each word comes once and is final."""

    def __init__(
        self,
        engine: Engine,
        owner: Hashable,
        changed: Callable[[], None],
        *,
        language: str,
        key_terms: tuple[str, ...],
        live: bool,
    ) -> None:
        """
        Args:
            engine: runs the models.
            owner: the session.
            changed: called when words have arrived.
            language: one of the recogniser's; empty: detected.
            key_terms: terms that may be spoken, as they are spelled.
            live: somebody is listening.
        """
        model = engine.models.recogniser
        assert isinstance(model, WindowRecogniser)
        self._engine, self._owner, self._live = engine, owner, live
        self._key_terms = key_terms if model.uses_key_terms else ()
        self._language_given = bool(language)
        self._languages = SpokenLanguage(model.languages, language)
        self._packer = SpeechPacker(model.max_window_s, engine.models.vad.window_samples)
        self._pending = WorkUnderWay(self._take, changed)
        self._submitted = 0
        self._first_start: int | None = None  # of the first window, while the language may be unsettled
        self._words: list[RecognisedWord] = []
        self._segments: dict[int, _Segment] = {}  # those that a later window may hold
        self._written: list[SpeechWindow] = []  # since the last ``take_written``
        self._done: set[int] = set()

    @property
    def language(self) -> str:
        """Language of the last window judged, or the given one; empty before any."""
        return self._languages.now

    @property
    def most_spoken(self) -> str:
        """Language of most of the speech judged so far; empty before any."""
        return self._languages.most_spoken

    def confidence_of(self, language: str) -> float | None:
        """Return the confidence of a language, 0..1; None where it was not detected."""
        return self._languages.confidence_of(language)

    def note_speech(self, probabilities: NDArray[np.float32]) -> None:
        """Record the speech probabilities of the detector's next windows, shape (n,), 0..1."""
        self._packer.note_speech(probabilities)

    async def hear(self, audio: AudioBuffer, heard: int) -> int:
        """Submit the window that waited long enough; return the first sample still needed outside segments."""
        for window in self._packer.overdue():
            await self._submit(window)
        if self._first_start is not None and heard - self._first_start >= LANGUAGE_WAITS_SAMPLES:
            self._languages.settle_after(self._submitted)
            self._first_start = None
        return heard

    async def follow(self, number: int, under_way: SpeechSegment, audio: AudioBuffer, heard: int) -> int:
        """Submit the windows that an ongoing segment fills; return the first sample still needed."""
        self._know(number, under_way)
        windows, needed = self._packer.follow(under_way, audio)
        for window in windows:
            await self._submit(window)
        return needed

    def abandon_segment(self) -> None:
        """Discard the ongoing segment, if any: it was too short to be speech."""
        self._packer.abandon_segment()

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Submit the windows that the rest of a segment fills."""
        self._know(number, segment)
        for window in self._packer.close_segment(segment, audio):
            await self._submit(window)

    def oldest_waiting(self) -> int | None:
        """Return the first sample of speech without words; None where nothing is pending."""
        starts = [window.start for window in self._pending]
        if (first := self._packer.first_waiting) is not None:
            starts.append(first)
        return min(starts, default=None)

    def final_through(self, heard: int) -> int:
        """Return the sample up to which words are final, once ``heard`` samples are processed."""
        settled = max(0, heard - TAKEN_UP_BEFORE_SAMPLES)
        waiting = self.oldest_waiting()
        return settled if waiting is None else min(settled, waiting)

    def take_done(self) -> set[int]:
        """Return the segments that got words since the last call. Raises what the recogniser raises."""
        self._pending.take_done()
        done, self._done = self._done, set()
        return done

    def take_written(self) -> list[SpeechWindow]:
        """Return the windows transcribed since the last call."""
        written, self._written = self._written, []
        return written

    def words_of(self, number: int) -> list[RecognisedWord]:
        """Return the words of a segment so far, by time."""
        known = self._segments.get(number)
        return sorted(known.words, key=_by_time) if known else []

    def waits_for(self, number: int) -> bool:
        """Return whether speech of the segment is pending."""
        known, waiting = self._segments.get(number), self.oldest_waiting()
        return known is not None and waiting is not None and waiting < known.end_s * SAMPLE_RATE_HZ

    def forget_before(self, sample: int) -> None:
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

    def forget(self, number: int) -> None:
        """Drop a segment that no later window reaches."""
        self._segments.pop(number, None)

    def _know(self, number: int, segment: SpeechSegment) -> None:
        known = self._segments.setdefault(number, _Segment(number, segment.start_s, segment.end_s))
        known.end_s = segment.end_s

    async def _submit(self, window: SpeechWindow) -> None:
        await self._pending.wait(at_most=(WINDOWS_AT_ONCE_LIVE if self._live else WINDOWS_AT_ONCE) - 1)
        if not self._submitted:
            self._first_start = window.start
        self._pending.start(window, self._recognise(self._submitted, window))
        self._submitted += 1

    async def _recognise(self, number: int, window: SpeechWindow) -> list[RecognisedWord]:
        samples = window.samples
        encoded = await self._engine.encode_window(self._owner, samples)
        language = await self._languages.of(number, encoded.languages, len(samples) / SAMPLE_RATE_HZ)
        task = WindowTask(encoded, language, self._key_terms, self._language_given)
        words = await self._engine.write_window(self._owner, task)
        placed = []
        for word in words:
            start_s, end_s = window.place(word.start_s, word.end_s)
            placed.append(replace(word, start_s=start_s, end_s=end_s))
        return placed

    def _take(self, window: SpeechWindow, words: list[RecognisedWord]) -> None:
        self._words += words
        self._written.append(window)
        first_s, last_s = window.start / SAMPLE_RATE_HZ, window.end / SAMPLE_RATE_HZ
        held = [s for s in self._segments.values() if s.end_s > first_s and s.start_s < last_s]
        for word in words:
            if held:
                max(held, key=lambda segment: segment.closeness(word)).words.append(word)
        self._done.update(segment.number for segment in held)


def _by_time(word: RecognisedWord) -> tuple[float, float]:
    return word.start_s, word.end_s

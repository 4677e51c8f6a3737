"""The final words of a session: its speech in long windows, each written once."""

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

# Windows with the recogniser at once. A recording waits for words, so that its audio does not pile up in memory; live,
# who speaks must not wait for words that are late. More than those that wait for the language to settle.
WINDOWS_AT_ONCE, WINDOWS_AT_ONCE_LIVE = 4, 64
# Who says a word and then nothing gets it written in what that word alone seemed to be in, after so much audio.
LANGUAGE_WAITS_SAMPLES = 60 * SAMPLE_RATE_HZ


@dataclass(slots=True)
class _Segment:
    """A speech segment, for words to be given to."""

    number: int
    start_s: float
    end_s: float
    words: list[RecognisedWord] = field(default_factory=list)
    """Final ones."""

    def closeness(self, word: RecognisedWord) -> float:
        """Seconds of the word within; without any, minus the distance."""
        return min(word.end_s, self.end_s) - max(word.start_s, self.start_s)


class WindowRecognition:
    """WordStage of a session that nobody listens to: its words come once, for good."""

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
            changed: is called when words have come.
            language: what is spoken, one of the recogniser's languages; empty: it is detected.
            key_terms: what may be said, as it is spelled.
            live: somebody listens.
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
        self._first_start: int | None = None  # of the first window, until its language need not wait any more
        self._words: list[RecognisedWord] = []
        self._segments: dict[int, _Segment] = {}  # those that a window to come may hold
        self._written: list[SpeechWindow] = []  # since the last ``take_written``
        self._done: set[int] = set()

    @property
    def language(self) -> str:
        return self._languages.now

    @property
    def most_spoken(self) -> str:
        return self._languages.most_spoken

    def confidence_of(self, language: str) -> float | None:
        return self._languages.confidence_of(language)

    def note_speech(self, probabilities: NDArray[np.float32]) -> None:
        self._packer.note_speech(probabilities)

    async def hear(self, audio: AudioBuffer, heard: int) -> int:
        for window in self._packer.overdue():
            await self._submit(window)
        if self._first_start is not None and heard - self._first_start >= LANGUAGE_WAITS_SAMPLES:
            self._languages.settle_after(self._submitted)
            self._first_start = None
        return heard

    async def follow(self, number: int, under_way: SpeechSegment, audio: AudioBuffer, heard: int) -> int:
        self._know(number, under_way)
        windows, needed = self._packer.follow(under_way, audio)
        for window in windows:
            await self._submit(window)
        return needed

    def abandon_segment(self) -> None:
        self._packer.abandon_segment()

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        self._know(number, segment)
        for window in self._packer.close_segment(segment, audio):
            await self._submit(window)

    def oldest_waiting(self) -> int | None:
        starts = [window.start for window in self._pending]
        if (first := self._packer.first_waiting) is not None:
            starts.append(first)
        return min(starts, default=None)

    def final_through(self, heard: int) -> int:
        settled = max(0, heard - TAKEN_UP_BEFORE_SAMPLES)
        waiting = self.oldest_waiting()
        return settled if waiting is None else min(settled, waiting)

    def take_done(self) -> set[int]:
        self._pending.take_done()
        done, self._done = self._done, set()
        return done

    def take_written(self) -> list[SpeechWindow]:
        """The windows whose words have come since the last call."""
        written, self._written = self._written, []
        return written

    def words_of(self, number: int) -> list[RecognisedWord]:
        known = self._segments.get(number)
        return sorted(known.words, key=_by_time) if known else []

    def waits_for(self, number: int) -> bool:
        known, waiting = self._segments.get(number), self.oldest_waiting()
        return known is not None and waiting is not None and waiting < known.end_s * SAMPLE_RATE_HZ

    def forget_before(self, sample: int) -> None:
        """Everything told is final, and ``finish`` tells all of it again."""

    async def finish(self, audio: AudioBuffer) -> list[RecognisedWord]:
        for window in self._packer.finish():
            await self._submit(window)
        self._languages.settle_after(self._submitted)
        await self._pending.wait(at_most=0)
        return sorted(self._words, key=_by_time)

    async def close(self) -> None:
        await self._pending.close()

    def forget(self, number: int) -> None:
        """No window to come holds anything of the segment, and its words were taken."""
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

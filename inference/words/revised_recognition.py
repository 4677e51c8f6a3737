"""Two-pass recognition: provisional words from short chunks, then final words from long windows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from inference.diarization import SpeechSegment
from inference.engine import Engine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, Samples, WindowRecogniser, WindowTask
from inference.stages import AudioBuffer
from inference.words.piece_recognition import PieceRecognition
from inference.words.window_recognition import WindowRecognition

# The provisional language is the one with this share of the guesses, once they cover this many seconds.
SEEMS_S, SEEMS_SHARE = 6.0, 0.7
# A segment is kept until no later window can hold any of it, and this much longer, seconds.
KEPT_S = 2.0


class RevisedRecognition:
    """WordStage of a live session. WindowRecognition gives its final words."""

    def __init__(
        self,
        engine: Engine,
        owner: Hashable,
        changed: Callable[[], None],
        *,
        language: str,
        key_terms: tuple[str, ...],
    ) -> None:
        model = engine.models.recogniser
        assert isinstance(model, WindowRecogniser)
        self._engine, self._owner = engine, owner
        self._final = WindowRecognition(engine, owner, changed, language=language, key_terms=key_terms, live=True)
        self._first = PieceRecognition(
            self._guess, lambda: engine.hurry_words(owner), model.max_guess_s, changed, live=True
        )
        self._given = language
        # Probability-weighted seconds of each language in the guesses so far: used until the first window is judged.
        self._seeming: dict[str, float] = {}
        self._ends_s: dict[int, float] = {}  # ends of the segments still reported
        self._written: list[tuple[float, float]] = []  # spans with final words that such segments may reach

    @property
    def language(self) -> str:
        """Language of the last window judged, else the given one, else the provisional one."""
        return self._final.language or self._given or self._likely()

    @property
    def most_spoken(self) -> str:
        """Language of most speech in final words so far; empty before any."""
        return self._final.most_spoken

    def confidence_of(self, language: str) -> float | None:
        """Return the confidence of a language, 0..1: from windows, or from guesses before the first window."""
        sure = self._final.confidence_of(language)
        if sure is not None or self._final.language or language not in self._seeming:
            return sure
        return self._seeming[language] / sum(self._seeming.values())

    def note_speech(self, probabilities: NDArray[np.float32]) -> None:
        """Record the speech probabilities of the detector's next windows, shape (n,), 0..1."""
        self._first.note_speech(probabilities)
        self._final.note_speech(probabilities)

    async def hear(self, audio: AudioBuffer, heard: int) -> int:
        """Process audio up to sample ``heard``; return the first sample still needed."""
        return min(await self._first.hear(audio, heard), await self._final.hear(audio, heard))

    async def follow(self, number: int, under_way: SpeechSegment, audio: AudioBuffer, heard: int) -> int:
        """Process an ongoing segment in both passes; return the first sample still needed."""
        self._ends_s[number] = under_way.end_s
        needed = await self._first.follow(number, under_way, audio, heard)
        return min(needed, await self._final.follow(number, under_way, audio, heard))

    def abandon_segment(self) -> None:
        """Discard the ongoing segment, if any: it was too short to be speech."""
        self._first.abandon_segment()
        self._final.abandon_segment()

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Process the rest of a segment in both passes."""
        self._ends_s[number] = segment.end_s
        await self._first.close_segment(number, segment, audio)
        await self._final.close_segment(number, segment, audio)

    def oldest_waiting(self) -> int | None:
        """Return the first sample without words, even provisional ones; None where nothing is pending."""
        return self._first.oldest_waiting()

    def final_through(self, heard: int) -> int:
        """Return the sample up to which words are final."""
        return self._final.final_through(heard)

    def take_done(self) -> set[int]:
        """Return the segments whose words changed since the last call."""
        done = self._first.take_done() | self._final.take_done()
        self._written += [
            (span.start / SAMPLE_RATE_HZ, span.end / SAMPLE_RATE_HZ)
            for window in self._final.take_written()
            for span in window.spans
        ]
        return done

    def words_of(self, number: int) -> list[RecognisedWord]:
        """Return final words, and provisional ones outside the spans that are final, by time."""
        final = self._final.words_of(number)
        first = [word for word in self._first.words_of(number) if not self._is_final(word)]
        return sorted([*final, *first], key=lambda word: (word.start_s, word.end_s))

    def waits_for(self, number: int) -> bool:
        """Return whether provisional words of the segment are still to come."""
        return self._first.waits_for(number)

    async def finish(self, audio: AudioBuffer) -> Sequence[RecognisedWord]:
        """Cancel the provisional pass; return every final word by time."""
        await self._first.close()
        return await self._final.finish(audio)

    async def close(self) -> None:
        """Cancel pending work and wait until it has stopped."""
        await self._first.close()
        await self._final.close()

    def forget_before(self, sample: int) -> None:
        """Drop what is kept of segments that end more than KEPT_S before this sample."""
        moment_s = sample / SAMPLE_RATE_HZ - KEPT_S
        for number in [number for number, end_s in self._ends_s.items() if end_s < moment_s]:
            del self._ends_s[number]
            self._first.forget(number)
            self._final.forget(number)
        first_s = moment_s - KEPT_S
        self._written = [(start_s, end_s) for start_s, end_s in self._written if end_s >= first_s]

    def _is_final(self, word: RecognisedWord) -> bool:
        middle_s = (word.start_s + word.end_s) / 2
        return any(start_s <= middle_s <= end_s for start_s, end_s in self._written)

    async def _guess(self, samples: Samples, patience_s: float) -> list[RecognisedWord]:
        found = await self._engine.guess_words(self._owner, WindowTask(samples, self.language), patience_s)
        duration_s = len(samples) / SAMPLE_RATE_HZ
        for spoken, probability in found.languages.items():
            self._seeming[spoken] = self._seeming.get(spoken, 0.0) + probability * duration_s
        return list(found.words)

    def _likely(self) -> str:
        """Return the language of the guesses so far once it is clear; otherwise empty, and each chunk detects its
        own."""
        total = sum(self._seeming.values())
        best = max(self._seeming, key=self._seeming.__getitem__, default="")
        return best if total >= SEEMS_S and self._seeming[best] >= SEEMS_SHARE * total else ""

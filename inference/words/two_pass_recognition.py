"""Two-pass recognition: provisional words from short chunks, then final words from long windows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from inference.diarization import SpeechSegment
from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, Samples, WindowRecogniser, WindowTask
from inference.stages import AudioBuffer
from inference.words.chunk_recognition import ChunkRecognition
from inference.words.window_recognition import WindowRecognition

# The provisional language is the one with this share of the guesses, once they cover this many seconds.
PROVISIONAL_LANGUAGE_S, PROVISIONAL_LANGUAGE_SHARE = 6.0, 0.7
# A segment is kept until no later window can hold any of it, and this much longer, seconds.
KEEP_S = 2.0


class TwoPassRecognition:
    """WordStage of a live session. WindowRecognition gives its final words."""

    def __init__(
        self,
        engine: ModelEngine,
        owner: Hashable,
        on_change: Callable[[], None],
        *,
        language: str,
        key_terms: tuple[str, ...],
    ) -> None:
        model = engine.models.recogniser
        assert isinstance(model, WindowRecogniser)
        self._engine, self._owner = engine, owner
        self._final = WindowRecognition(engine, owner, on_change, language=language, key_terms=key_terms, live=True)
        self._provisional = ChunkRecognition(
            self._recognise_provisional,
            lambda: engine.expedite_words(owner),
            model.max_provisional_s,
            on_change,
            live=True,
        )
        self._given_language = language
        # Probability-weighted seconds of each language in the guesses so far: used until the first window is judged.
        self._evidence_s: dict[str, float] = {}
        self._ends_s: dict[int, float] = {}  # ends of the segments still reported
        self._final_spans: list[tuple[float, float]] = []  # spans with final words that such segments may reach

    @property
    def language(self) -> str:
        """Language of the last window judged, else the given one, else the provisional one."""
        return self._final.language or self._given_language or self._provisional_language()

    @property
    def main_language(self) -> str:
        """Language of most speech in final words so far; empty before any."""
        return self._final.main_language

    def confidence_in(self, language: str) -> float | None:
        """Return the confidence of a language, 0..1: from windows, or from guesses before the first window."""
        confidence = self._final.confidence_in(language)
        if confidence is not None or self._final.language or language not in self._evidence_s:
            return confidence
        return self._evidence_s[language] / sum(self._evidence_s.values())

    def add_speech_probabilities(self, probabilities: NDArray[np.float32]) -> None:
        """Record the speech probabilities of the detector's next windows, shape (n,), 0..1."""
        self._provisional.add_speech_probabilities(probabilities)
        self._final.add_speech_probabilities(probabilities)

    async def advance(self, audio: AudioBuffer, processed: int) -> int:
        """Process audio up to sample ``processed``; return the first sample still needed."""
        return min(await self._provisional.advance(audio, processed), await self._final.advance(audio, processed))

    async def extend_segment(self, number: int, ongoing: SpeechSegment, audio: AudioBuffer, processed: int) -> int:
        """Process an ongoing segment in both passes; return the first sample still needed."""
        self._ends_s[number] = ongoing.end_s
        needed = await self._provisional.extend_segment(number, ongoing, audio, processed)
        return min(needed, await self._final.extend_segment(number, ongoing, audio, processed))

    def abandon_segment(self) -> None:
        """Discard the ongoing segment, if any: it was too short to be speech."""
        self._provisional.abandon_segment()
        self._final.abandon_segment()

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Process the rest of a segment in both passes."""
        self._ends_s[number] = segment.end_s
        await self._provisional.close_segment(number, segment, audio)
        await self._final.close_segment(number, segment, audio)

    async def flush_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Recognise the rest of a segment so far in the provisional pass."""
        self._ends_s[number] = max(segment.end_s, self._ends_s.get(number, 0.0))
        await self._provisional.flush_segment(number, segment, audio)

    def first_pending_sample(self) -> int | None:
        """Return the first sample without words, even provisional ones; None where nothing is pending."""
        return self._provisional.first_pending_sample()

    def final_through(self, processed: int) -> int:
        """Return the sample up to which words are final."""
        return self._final.final_through(processed)

    def pop_changed_segments(self) -> set[int]:
        """Return the segments whose words changed since the last call."""
        changed_segments = self._provisional.pop_changed_segments() | self._final.pop_changed_segments()
        self._final_spans += self._final.pop_final_spans()
        return changed_segments

    def segment_words(self, number: int) -> list[RecognisedWord]:
        """Return final words, and provisional ones outside the spans that are final, by time."""
        final = self._final.segment_words(number)
        provisional = [word for word in self._provisional.segment_words(number) if not self._is_final(word)]
        return sorted([*final, *provisional], key=lambda word: (word.start_s, word.end_s))

    def awaits_words(self, number: int) -> bool:
        """Return whether provisional words of the segment are still to come."""
        return self._provisional.awaits_words(number)

    async def finish(self, audio: AudioBuffer) -> Sequence[RecognisedWord]:
        """Cancel the provisional pass; return every final word by time."""
        await self._provisional.close()
        return await self._final.finish(audio)

    async def close(self) -> None:
        """Cancel pending work and wait until it has stopped."""
        await self._provisional.close()
        await self._final.close()

    def drop_before(self, sample: int) -> None:
        """Drop the words of segments that end more than ``KEEP_S`` before this sample."""
        moment_s = sample / SAMPLE_RATE_HZ - KEEP_S
        for number in [number for number, end_s in self._ends_s.items() if end_s < moment_s]:
            del self._ends_s[number]
            self._provisional.drop_segment(number)
            self._final.drop_segment(number)
        first_s = moment_s - KEEP_S
        self._final_spans = [(start_s, end_s) for start_s, end_s in self._final_spans if end_s >= first_s]

    def _is_final(self, word: RecognisedWord) -> bool:
        middle_s = (word.start_s + word.end_s) / 2
        return any(start_s <= middle_s <= end_s for start_s, end_s in self._final_spans)

    async def _recognise_provisional(self, samples: Samples, patience_s: float) -> list[RecognisedWord]:
        found = await self._engine.recognise_provisional(self._owner, WindowTask(samples, self.language), patience_s)
        duration_s = len(samples) / SAMPLE_RATE_HZ
        for spoken, probability in found.languages.items():
            self._evidence_s[spoken] = self._evidence_s.get(spoken, 0.0) + probability * duration_s
        return list(found.words)

    def _provisional_language(self) -> str:
        """Return the language of the guesses so far once it is clear; otherwise empty, and each chunk detects its
        own."""
        total = sum(self._evidence_s.values())
        best = max(self._evidence_s, key=self._evidence_s.__getitem__, default="")
        return (
            best
            if total >= PROVISIONAL_LANGUAGE_S and self._evidence_s[best] >= PROVISIONAL_LANGUAGE_SHARE * total
            else ""
        )

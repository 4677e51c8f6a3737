"""Recognition by a streaming recogniser, which processes all audio, pauses included, and keeps state."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.diarization import SpeechSegment
from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, StreamingRecogniser, StreamInput
from inference.stages import AudioBuffer, UndetectedLanguage
from inference.words.word_placement import WordPlacement

# A word's end is certain only when the next begins, perhaps minutes later. One unchanged this long is reported.
SETTLE_S = 1.0


class StreamingRecognition(UndetectedLanguage):
    """WordStage of a streaming recogniser.

    It waits for each step of the recogniser: recordings are read no faster than they are recognised, and results after
    a given amount of audio are always the same.
    """

    def __init__(self, engine: ModelEngine, owner: Hashable, language: str = "") -> None:
        """``language``: BCP 47 primary tag; empty where unknown."""
        super().__init__(language)
        model = engine.models.recogniser
        assert isinstance(model, StreamingRecogniser)
        assert engine.streaming_recogniser is not None
        self._queue, self._owner = engine.streaming_recogniser, owner
        self._step, self._latency = model.step_samples, model.latency_samples
        self._state: Any = model.initial_state()
        self._submitted = 0  # samples passed to the model
        self._processed = 0  # samples the detector has processed
        self._known_s = 0.0  # no later word begins before this time
        self._words: list[RecognisedWord] = []
        self._early_word: RecognisedWord | None = None  # the ongoing word, once reported
        self._placement = WordPlacement()
        # What a flush has found beyond the words placed, until the next step of the recogniser.
        self._flushed: list[RecognisedWord] | None = None
        self._flushed_through = 0
        self._flushed_segments: dict[int, SpeechSegment] = {}
        self._changed_segments: set[int] = set()

    def final_through(self, processed: int) -> int:
        """Return the sample up to which words are final."""
        return min(processed, self._first_unplaced_sample())

    def add_speech_probabilities(self, probabilities: NDArray[np.float32]) -> None:
        """Do nothing: no audio is cut."""

    async def advance(self, audio: AudioBuffer, processed: int) -> int:
        """Recognise whole steps up to sample ``processed``; return the first sample still needed.

        Raises what the model raises.
        """
        self._processed = processed
        while min(processed, audio.end) - self._submitted >= self._step:
            await self._submit(audio, self._submitted + self._step, last=False)
        return self._submitted

    def first_pending_sample(self) -> int:
        """Return the first sample whose words are not all known or not yet assigned to a segment."""
        return self._first_unplaced_sample() if self._flushed is None else self._flushed_through

    def _first_unplaced_sample(self) -> int:
        return int(min(self._known_s, self._placement.first_unassigned_s()) * SAMPLE_RATE_HZ)

    async def extend_segment(self, number: int, ongoing: SpeechSegment, audio: AudioBuffer, processed: int) -> int:
        """Update the ongoing segment and place words; return the first sample still needed."""
        self._placement.extend_segment(number, ongoing)
        self._assign_words()
        return self._submitted

    def abandon_segment(self) -> None:
        """Discard the ongoing segment, if any: it was too short to be speech."""
        self._placement.abandon_segment()
        self._assign_words()

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """End the segment. The next ``extend_segment`` or ``abandon_segment`` places its words."""
        self._placement.close_segment(number, segment)

    async def flush_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Recognise the rest of the audio as if it ended here, on a copy of the recogniser's state."""
        if self._flushed is None or self._flushed_through < audio.end:
            rest = StreamInput(audio.span(self._submitted, audio.end).copy(), self._state, last=True)
            found, _ = await self._queue.submit(self._owner, rest)
            ongoing = () if found.ongoing is None else (found.ongoing,)
            new = [word for word in (*found.words, *ongoing) if not self._is_early_word(word)]
            self._flushed, self._flushed_through = [*self._placement.waiting_words(), *new], audio.end
            self._flushed_segments = {}
        self._flushed_segments[number] = segment
        self._changed_segments.update(self._flushed_segments)

    def pop_changed_segments(self) -> set[int]:
        """Return the segments whose words changed or became complete since the last call."""
        changed_segments, self._changed_segments = self._changed_segments, set()
        return changed_segments | self._placement.pop_changed_segments()

    def segment_words(self, number: int) -> list[RecognisedWord]:
        """Return the words of a segment so far, by time."""
        words = self._placement.segment_words(number)
        flushed = [word for word in self._flushed or () if self._flushed_segment(word) == number]
        return sorted([*words, *flushed], key=lambda word: (word.start_s, word.end_s)) if flushed else words

    def awaits_words(self, number: int) -> bool:
        """Return whether more words of the segment may come."""
        return number not in self._flushed_segments and self._placement.awaits_words(number)

    def drop_before(self, sample: int) -> None:
        """Do nothing: ``finish`` returns every word again."""

    async def finish(self, audio: AudioBuffer) -> list[RecognisedWord]:
        """Recognise the rest; return every word of the session by time. Raises what the model raises."""
        await self._submit(audio, audio.end, last=True)
        return sorted(self._words, key=lambda word: (word.start_s, word.end_s))

    async def close(self) -> None:
        """Do nothing: no work is pending between calls."""

    async def _submit(self, audio: AudioBuffer, end: int, *, last: bool) -> None:
        step_input = StreamInput(audio.span(self._submitted, end).copy(), self._state, last)
        found, self._state = await self._queue.submit(self._owner, step_input)
        self._submitted = end
        if self._flushed is not None:
            self._changed_segments.update(self._flushed_segments)
            self._flushed, self._flushed_segments = None, {}
        self._words += found.words
        for word in found.words:
            # What was reported early stays as it is; the session's end has the whole word.
            if not self._is_early_word(word):
                self._placement.add(word)
        through_s = max(0, self._submitted - self._latency) / SAMPLE_RATE_HZ
        ongoing = found.ongoing
        if ongoing is None or not self._is_early_word(ongoing):
            self._early_word = None
            if ongoing is not None and through_s - ongoing.end_s >= SETTLE_S:
                self._early_word = ongoing
                self._placement.add(ongoing)
        known_s = through_s
        if ongoing is not None and self._early_word is None:
            known_s = min(ongoing.start_s, through_s)
        self._known_s = max(self._known_s, known_s)

    def _flushed_segment(self, word: RecognisedWord) -> int | None:
        """Return the flushed segment that a word belongs to: the one that holds most of it, else the nearest."""
        segments = self._flushed_segments
        overlap_s = {
            number: min(word.end_s, segment.end_s) - max(word.start_s, segment.start_s)
            for number, segment in segments.items()
        }
        return max(segments, key=overlap_s.__getitem__, default=None)

    def _is_early_word(self, word: RecognisedWord) -> bool:
        return self._early_word is not None and self._early_word.start_s == word.start_s

    def _assign_words(self) -> None:
        self._placement.assign(self._processed / SAMPLE_RATE_HZ, self._known_s)

"""Recognition by a streaming recogniser, which processes all audio, pauses included, and keeps state."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.diarization import SpeechSegment
from inference.engine import Engine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, StreamingRecogniser, Stretch
from inference.stages import AudioBuffer, UndetectedLanguage
from inference.words.word_placement import WordPlacement

# A word's end is certain only when the next begins, perhaps minutes later. One unchanged this long is reported.
SETTLES_S = 1.0


class StreamedRecognition(UndetectedLanguage):
    """WordStage of a streaming recogniser.

    It waits for each step of the recogniser: recordings are read no faster than they are recognised, and results after
    a given amount of audio are always the same.
    """

    def __init__(self, engine: Engine, owner: Hashable, language: str = "") -> None:
        """``language``: BCP 47 primary tag; empty where unknown."""
        super().__init__(language)
        model = engine.models.recogniser
        assert isinstance(model, StreamingRecogniser)
        assert engine.streaming_recogniser is not None
        self._queue, self._owner = engine.streaming_recogniser, owner
        self._step, self._latency = model.step_samples, model.latency_samples
        self._state: Any = model.initial_state()
        self._given = 0  # samples passed to the model
        self._heard = 0  # samples the detector has processed
        self._known_s = 0.0  # no later word begins before this time
        self._words: list[RecognisedWord] = []
        self._told_early: RecognisedWord | None = None  # the ongoing word, once reported
        self._placement = WordPlacement()

    def final_through(self, heard: int) -> int:
        """Return the sample up to which words are final."""
        return min(heard, self.oldest_waiting())

    def note_speech(self, probabilities: NDArray[np.float32]) -> None:
        """Do nothing: no audio is cut."""

    async def hear(self, audio: AudioBuffer, heard: int) -> int:
        """Recognise whole steps up to sample ``heard``; return the first sample still needed.

        Raises what the model raises.
        """
        self._heard = heard
        while min(heard, audio.end) - self._given >= self._step:
            await self._give(audio, self._given + self._step, last=False)
        return self._given

    def oldest_waiting(self) -> int:
        """Return the first sample whose words are not all known or not yet assigned to a segment."""
        return int(min(self._known_s, self._placement.first_waiting_s()) * SAMPLE_RATE_HZ)

    async def follow(self, number: int, under_way: SpeechSegment, audio: AudioBuffer, heard: int) -> int:
        """Update the ongoing segment and place words; return the first sample still needed."""
        self._placement.follow(number, under_way)
        self._place()
        return self._given

    def abandon_segment(self) -> None:
        """Discard the ongoing segment, if any: it was too short to be speech."""
        self._placement.abandon()
        self._place()

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """End the segment. The next ``follow`` or ``abandon_segment`` places its words."""
        self._placement.close(number, segment)

    def take_done(self) -> set[int]:
        """Return the segments whose words changed or became complete since the last call."""
        return self._placement.take_changed()

    def words_of(self, number: int) -> list[RecognisedWord]:
        """Return the words of a segment so far, by time."""
        return self._placement.words_of(number)

    def waits_for(self, number: int) -> bool:
        """Return whether more words of the segment may come."""
        return self._placement.waits_for(number)

    def forget_before(self, sample: int) -> None:
        """Do nothing: ``finish`` returns every word again."""

    async def finish(self, audio: AudioBuffer) -> list[RecognisedWord]:
        """Recognise the rest; return every word of the session by time. Raises what the model raises."""
        await self._give(audio, audio.end, last=True)
        return sorted(self._words, key=lambda word: (word.start_s, word.end_s))

    async def close(self) -> None:
        """Do nothing: no work is pending between calls."""

    async def _give(self, audio: AudioBuffer, end: int, *, last: bool) -> None:
        stretch = Stretch(audio.span(self._given, end).copy(), self._state, last)
        found, self._state = await self._queue.submit(self._owner, stretch)
        self._given = end
        self._words += found.words
        for word in found.words:
            # What was reported early stays as it is; the session's end has the whole word.
            if not self._was_told(word):
                self._placement.add(word)
        through_s = max(0, self._given - self._latency) / SAMPLE_RATE_HZ
        going_on = found.under_way
        if going_on is None or not self._was_told(going_on):
            self._told_early = None
            if going_on is not None and through_s - going_on.end_s >= SETTLES_S:
                self._told_early = going_on
                self._placement.add(going_on)
        waits_s = through_s
        if going_on is not None and self._told_early is None:
            waits_s = min(going_on.start_s, through_s)
        self._known_s = max(self._known_s, waits_s)

    def _was_told(self, word: RecognisedWord) -> bool:
        return self._told_early is not None and self._told_early.start_s == word.start_s

    def _place(self) -> None:
        self._placement.place(self._heard / SAMPLE_RATE_HZ, self._known_s)

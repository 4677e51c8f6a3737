"""Recognising words, as a session sees it; recognisers differ in what they want to hear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference.diarization import SpeechSegment
from inference.models import RecognisedWord
from inference.stages.audio_buffer import AudioBuffer


class WordStage(Protocol):
    """The words of one session, by the number of the speech segment they were said in; calls in the order of time."""

    @property
    def language(self) -> str:
        """What is spoken now, BCP 47 primary tag; empty while it is not known."""
        ...

    @property
    def most_spoken(self) -> str:
        """What is spoken most so far; empty while it is not known."""
        ...

    def confidence_of(self, language: str) -> float | None:
        """How sure a language is, 0..1; None where it was not detected."""
        ...

    def note_speech(self, probabilities: NDArray[np.float32]) -> None:
        """How likely the detector's next windows hold speech, shape (n,)."""
        ...

    async def hear(self, audio: AudioBuffer, heard: int) -> int:
        """The audio before sample ``heard`` lies in the buffer; returns the first sample still needed."""
        ...

    async def follow(self, number: int, under_way: SpeechSegment, audio: AudioBuffer, heard: int) -> int:
        """Speech segment ``number`` has come so far; returns the first sample still needed."""
        ...

    def abandon_segment(self) -> None:
        """No segment is under way."""
        ...

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Speech segment ``number`` has ended."""
        ...

    def oldest_waiting(self) -> int | None:
        """The first sample whose words are not known, not even for now; None where nothing waits."""
        ...

    def final_through(self, heard: int) -> int:
        """Words that end at or before this sample will not change again, when ``heard`` samples were heard."""
        ...

    def take_done(self) -> set[int]:
        """Numbers of the segments whose words have changed, or are complete, since the last call."""
        ...

    def words_of(self, number: int) -> list[RecognisedWord]:
        """The words of a segment so far, in the order of time."""
        ...

    def waits_for(self, number: int) -> bool:
        """True while words of the segment are still to come for the first time."""
        ...

    def forget_before(self, sample: int) -> None:
        """What was told of segments that ended before this sample is wanted no more, but for ``finish``."""
        ...

    async def finish(self, audio: AudioBuffer) -> Sequence[RecognisedWord]:
        """Every word of the session for good, in the order of time. Raises what the recogniser raises."""
        ...

    async def close(self) -> None:
        """Cancels what is under way and waits until it is gone."""
        ...


class UndetectedLanguage:
    """What stages of recognisers that detect no language say of it: what was given, or nothing."""

    def __init__(self, language: str) -> None:
        """``language``: what is spoken, where it is known."""
        self._language = language

    @property
    def language(self) -> str:
        return self._language

    @property
    def most_spoken(self) -> str:
        return self._language

    def confidence_of(self, language: str) -> float | None:
        return None

"""Word recognition as a session sees it; recognisers differ in the spans of audio they take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference.diarization import SpeechSegment
from inference.models import RecognisedWord
from inference.stages.audio_buffer import AudioBuffer


class WordStage(Protocol):
    """Recognises the words of one session, by number of their speech segment. Calls come in order of time.

    Args of its methods:
        audio: the session's audio, dropped before the first sample that a stage still needs.
        heard: number of samples that the speech detector has processed.
        number: of a speech segment, from 0 in order of time.
    """

    @property
    def language(self) -> str:
        """Language spoken now, BCP 47 primary tag; empty while unknown."""
        ...

    @property
    def most_spoken(self) -> str:
        """Language of most speech so far; empty while unknown."""
        ...

    def confidence_of(self, language: str) -> float | None:
        """Return the confidence of a language, 0..1; None where it was not detected."""
        ...

    def note_speech(self, probabilities: NDArray[np.float32]) -> None:
        """Record the speech probabilities of the detector's next windows, shape (n,), 0..1."""
        ...

    async def hear(self, audio: AudioBuffer, heard: int) -> int:
        """Process audio up to sample ``heard``, all of it in the buffer; return the first sample still needed."""
        ...

    async def follow(self, number: int, under_way: SpeechSegment, audio: AudioBuffer, heard: int) -> int:
        """Process speech segment ``number`` as far as it reaches now; return the first sample still needed."""
        ...

    def abandon_segment(self) -> None:
        """Discard the ongoing segment, if any: it was too short to be speech."""
        ...

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Process the rest of speech segment ``number``, which has ended."""
        ...

    def oldest_waiting(self) -> int | None:
        """Return the first sample without words, even provisional ones; None where nothing is pending."""
        ...

    def final_through(self, heard: int) -> int:
        """Return the sample up to which words are final, once ``heard`` samples are processed."""
        ...

    def take_done(self) -> set[int]:
        """Return the segments whose words changed or became complete since the last call."""
        ...

    def words_of(self, number: int) -> list[RecognisedWord]:
        """Return the words of a segment so far, by time."""
        ...

    def waits_for(self, number: int) -> bool:
        """Return whether first words of the segment are still to come."""
        ...

    def forget_before(self, sample: int) -> None:
        """Drop what is kept of segments that end before this sample; ``finish`` returns their words all the same."""
        ...

    async def finish(self, audio: AudioBuffer) -> Sequence[RecognisedWord]:
        """Recognise the rest; return every final word by time. Raises what the recogniser raises."""
        ...

    async def close(self) -> None:
        """Cancel pending work and wait until it has stopped."""
        ...


class UndetectedLanguage:
    """Language of recognisers that detect none: the given one, or unknown."""

    def __init__(self, language: str) -> None:
        """``language``: BCP 47 primary tag; empty where unknown."""
        self._language = language

    @property
    def language(self) -> str:
        """The given language; empty where unknown."""
        return self._language

    @property
    def most_spoken(self) -> str:
        """The given language; empty where unknown."""
        return self._language

    def confidence_of(self, language: str) -> float | None:
        """Return None: nothing is detected."""
        return None

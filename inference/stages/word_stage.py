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
        processed: number of samples that the speech detector has processed.
        number: of a speech segment, from 0 in order of time.
    """

    @property
    def language(self) -> str:
        """Language spoken now, BCP 47 primary tag; empty while unknown."""
        ...

    @property
    def main_language(self) -> str:
        """Language of most speech so far; empty while unknown."""
        ...

    def confidence_in(self, language: str) -> float | None:
        """Return the confidence of a language, 0..1; None where it was not detected."""
        ...

    def add_speech_probabilities(self, probabilities: NDArray[np.float32]) -> None:
        """Record the speech probabilities of the detector's next windows, shape (n,), 0..1."""
        ...

    async def advance(self, audio: AudioBuffer, processed: int) -> int:
        """Process audio up to sample ``processed``, all of it in the buffer; return the first sample still needed."""
        ...

    async def extend_segment(self, number: int, ongoing: SpeechSegment, audio: AudioBuffer, processed: int) -> int:
        """Process speech segment ``number`` as far as it reaches now; return the first sample still needed."""
        ...

    def abandon_segment(self) -> None:
        """Discard the ongoing segment, if any: it was too short to be speech."""
        ...

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Process the rest of speech segment ``number``, which has ended."""
        ...

    async def flush_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Recognise what is still to be recognised of a segment that may go on, as if it ended here.

        The words are provisional: what follows replaces them, and no result of ``finish`` depends on them.
        """
        ...

    def first_pending_sample(self) -> int | None:
        """Return the first sample without words, even provisional ones; None where nothing is pending."""
        ...

    def final_through(self, processed: int) -> int:
        """Return the sample up to which words are final, once ``processed`` samples are processed."""
        ...

    def pop_changed_segments(self) -> set[int]:
        """Return the segments whose words changed or became complete since the last call."""
        ...

    def segment_words(self, number: int) -> list[RecognisedWord]:
        """Return the words of a segment so far, by time."""
        ...

    def awaits_words(self, number: int) -> bool:
        """Return whether first words of the segment are still to come."""
        ...

    def drop_before(self, sample: int) -> None:
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
    def main_language(self) -> str:
        """The given language; empty where unknown."""
        return self._language

    def confidence_in(self, language: str) -> float | None:
        """Return None: nothing is detected."""
        return None

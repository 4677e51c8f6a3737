"""What a recogniser is: of pieces, of pieces in processes of its own, or of all audio while it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from inference.models.audio import Samples, Stretch


class TranscriptionFailed(Exception):
    """The recogniser crashed on a piece of audio."""


@dataclass(frozen=True, slots=True)
class RecognisedWord:
    """A word within the audio given to a Transcriber."""

    text: str
    start_s: float
    """From the first sample given, seconds."""
    end_s: float
    confidence: float | None
    """0..1; None where the recogniser does not say."""


class Recogniser(Protocol):
    """Turns pieces of speech into words with times."""

    languages: tuple[str, ...]
    """BCP 47 primary tags."""
    max_segment_s: float
    """The longest piece it takes, seconds."""

    def __call__(self, pieces: Sequence[Samples]) -> list[tuple[RecognisedWord, ...]]:
        """The words of each piece, in the order of time. Pieces may differ in length; each shape (n,), n > 0.

        The words of a piece do not depend on what else is in the call, nor on any call before.
        """
        ...


@runtime_checkable
class Transcriber(Protocol):
    """A recogniser that takes one piece at a time and sees to its own processes."""

    languages: tuple[str, ...]
    """BCP 47 primary tags."""
    max_segment_s: float
    """The longest audio it takes at once, seconds."""
    parallel: int
    """Pieces it works on at once."""
    processor_s: float
    """Processor time spent on pieces so far, in whatever process, seconds."""

    async def transcribe(self, samples: Samples) -> tuple[RecognisedWord, ...]:
        """The words of one stretch of speech, in the order of time; independent of all calls before.

        Raises TranscriptionFailed.
        """
        ...


@dataclass(frozen=True, slots=True)
class HeardWords:
    """What a call heard of one session; times are from the session's first sample."""

    words: tuple[RecognisedWord, ...]
    """Words that have ended, in the order of time; none of them is ever revised."""
    under_way: RecognisedWord | None
    """The word that may go on in the next call, as far as it is heard."""


@runtime_checkable
class StreamingRecogniser(Protocol):
    """Turns the audio of many sessions into words while it comes. It hears all of it, pauses as well."""

    languages: tuple[str, ...]
    """BCP 47 primary tags."""
    step_samples: int
    """Audio of this length, or a multiple, makes best use of a call."""
    latency_samples: int
    """How far behind the end of the audio given what is heard may be."""

    def initial_state(self) -> Any:
        """State before the first sample of a session."""
        ...

    def __call__(self, work: Sequence[Stretch]) -> list[tuple[HeardWords, Any]]:
        """The next words of each of several sessions; work of any length, even empty, and after ``last`` no more.

        Returns:
            For each: words, and the state for the session's next call. They depend neither on what else is in the
            call, but for rounding, nor on how the audio is cut.
        """
        ...

"""What a recogniser is: of pieces, of windows packed with speech, or of all audio while it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, Self, TypeVar, runtime_checkable

from inference.models.audio import Samples, Stretch

Heard = TypeVar("Heard")


@dataclass(frozen=True, slots=True)
class RecognisedWord:
    """A word within the audio given to a recogniser."""

    text: str
    start_s: float
    """From the first sample given, seconds."""
    end_s: float
    confidence: float | None
    """0..1; None where the recogniser does not say."""
    language: str = ""
    """BCP 47 primary tag of what it was recognised in; empty where the recogniser knows one alone."""

    def moved(self, by_s: float) -> Self:
        """The same so many seconds later."""
        return replace(self, start_s=self.start_s + by_s, end_s=self.end_s + by_s)


class Recogniser(Protocol):
    """Turns pieces of speech into words with times."""

    languages: tuple[str, ...]
    """BCP 47 primary tags."""
    max_segment_s: float
    """The longest piece it takes, seconds."""
    word_times: bool
    """Whether times are measured; else a piece's words share its time by their letters."""

    def __call__(self, pieces: Sequence[Samples]) -> list[tuple[RecognisedWord, ...]]:
        """The words of each piece, in the order of time. Pieces may differ in length; each shape (n,), n > 0.

        The words of a piece do not depend on what else is in the call, nor on any call before.
        """
        ...


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """A window that a recogniser has heard, but not written yet."""

    kept: Any
    """The backend's own."""
    languages: Mapping[str, float]
    """How likely each language is, by BCP 47 primary tag; sums to 1. Empty where the model knows one alone."""


@dataclass(frozen=True, slots=True)
class WindowTask(Generic[Heard]):
    """A window to be written: encoded for the final words, samples of shape (n,) for a guess."""

    window: Heard
    language: str
    """BCP 47 primary tag, one of the recogniser's; for a guess it may be empty: it is then detected."""
    key_terms: tuple[str, ...] = ()
    """What may be said, as it is spelled."""
    language_given: bool = False
    """The language was given with the audio; else it was detected."""


@dataclass(frozen=True, slots=True)
class GuessedWords:
    """What a short piece seems to say."""

    words: tuple[RecognisedWord, ...]
    """Their times are estimates."""
    language: str
    """That they were written in."""
    languages: Mapping[str, float]
    """How likely each language is, where it was detected; else empty."""


@runtime_checkable
class WindowRecogniser(Protocol):
    """Turns windows packed with speech into words for good, and short pieces into words for now.

    A window is heard first (``encode``), so that its language can be judged together with that of others, and
    written then. Its words do not depend on what else is in the call, nor on any call before; guesses may.
    """

    languages: tuple[str, ...]
    """BCP 47 primary tags."""
    max_window_s: float
    """The longest window it takes, seconds."""
    max_guess_s: float
    """The longest piece it guesses at, seconds."""
    uses_key_terms: bool
    word_times: bool
    """Whether times of final words are measured; those of guesses are estimates."""
    parallel: int
    """Windows that it works on at once; beside them it guesses at pieces, a call at a time."""

    @property
    def processor_s(self) -> float:
        """Processor time spent so far, on whatever thread, seconds."""
        ...

    def encode(self, windows: Sequence[Samples]) -> list[EncodedWindow]:
        """Hears windows, each of shape (n,), 0 < n <= max_window_s."""
        ...

    def write(self, work: Sequence[WindowTask[EncodedWindow]]) -> list[tuple[RecognisedWord, ...]]:
        """The words of each window, in the order of time, with measured times."""
        ...

    def guess(self, work: Sequence[WindowTask[Samples]]) -> list[GuessedWords]:
        """What each piece of shape (n,), 0 < n <= max_guess_s, seems to say."""
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
    word_times: bool
    """Whether times are measured."""

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

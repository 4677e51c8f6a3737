"""The contract of recognisers: of short chunks, of windows packed with speech, or of streamed audio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, Self, TypeVar, runtime_checkable

from inference.models.audio import Samples, StreamInput

WindowInput = TypeVar("WindowInput")


@dataclass(frozen=True, slots=True)
class RecognisedWord:
    """A word within the audio given to a recogniser."""

    text: str
    start_s: float
    """From the first sample given, seconds."""
    end_s: float
    confidence: float | None
    """0..1; None where the recogniser reports none."""
    language: str = ""
    """BCP 47 primary tag of the language recognised; empty for a recogniser of a single language."""

    def shifted(self, offset_s: float) -> Self:
        """Return the word shifted by ``offset_s`` seconds."""
        return replace(self, start_s=self.start_s + offset_s, end_s=self.end_s + offset_s)


class Recogniser(Protocol):
    """Transcribes short chunks of speech into words with times."""

    languages: tuple[str, ...]
    """BCP 47 primary tags."""
    max_chunk_s: float
    """Maximum length of a chunk, seconds."""
    word_times: bool
    """Whether times are measured; otherwise words share a chunk's time by their number of letters."""

    def __call__(self, chunks: Sequence[Samples]) -> list[tuple[RecognisedWord, ...]]:
        """Return the words of each chunk by time.

        Words of a chunk depend neither on the rest of the batch nor on earlier calls.

        Args:
            chunks: each of shape (n,), n > 0; lengths may differ.
        """
        ...


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """A window that is encoded, but not decoded yet."""

    encoding: Any
    """The backend's own data."""
    languages: Mapping[str, float]
    """Probability of each language, by BCP 47 primary tag; sums to 1. Empty for a model of a single language."""


@dataclass(frozen=True, slots=True)
class WindowTask(Generic[WindowInput]):
    """A window to decode: encoded for final words, samples of shape (n,) for provisional ones."""

    window: WindowInput
    language: str
    """BCP 47 primary tag, one of the recogniser's; may be empty for provisional words: detected."""
    key_terms: tuple[str, ...] = ()
    """Terms that may be spoken, as they are spelled."""
    language_given: bool = False
    """Whether the client gave the language; otherwise it was detected."""


@dataclass(frozen=True, slots=True)
class ProvisionalWords:
    """Provisional words of a chunk."""

    words: tuple[RecognisedWord, ...]
    """With estimated times."""
    language: str
    """BCP 47 primary tag that the words were decoded in."""
    languages: Mapping[str, float]
    """Probability of each language where it was detected; otherwise empty."""


@runtime_checkable
class WindowRecogniser(Protocol):
    """Transcribes windows packed with speech into final words, and short chunks into provisional ones.

    Encoding and decoding are separate calls, so that a window's language can be judged together with others'. Its words
    depend neither on the rest of the batch nor on earlier calls; provisional words may.
    """

    languages: tuple[str, ...]
    """BCP 47 primary tags."""
    max_window_s: float
    """Maximum length of a window, seconds."""
    max_provisional_s: float
    """Maximum length of a provisional chunk, seconds."""
    uses_key_terms: bool
    word_times: bool
    """Whether final words have measured times; provisional ones have estimates."""
    parallel: int
    """Windows processed concurrently; one provisional call runs beside them."""

    @property
    def processor_s(self) -> float:
        """Processor time so far on all threads, seconds."""
        ...

    def encode(self, windows: Sequence[Samples]) -> list[EncodedWindow]:
        """Encode windows, each of shape (n,), 0 < n <= max_window_s."""
        ...

    def decode(self, work: Sequence[WindowTask[EncodedWindow]]) -> list[tuple[RecognisedWord, ...]]:
        """Decode each window; return its words by time, with measured times."""
        ...

    def recognise_provisional(self, work: Sequence[WindowTask[Samples]]) -> list[ProvisionalWords]:
        """Return provisional words of each chunk, shape (n,), 0 < n <= max_provisional_s."""
        ...


@dataclass(frozen=True, slots=True)
class StreamedWords:
    """Words of one session that a call recognised; times from the session's first sample."""

    words: tuple[RecognisedWord, ...]
    """Completed words by time; never revised."""
    ongoing: RecognisedWord | None
    """The ongoing word so far, which the next call may extend."""


@runtime_checkable
class StreamingRecogniser(Protocol):
    """Transcribes the audio of many sessions as it arrives, pauses included."""

    languages: tuple[str, ...]
    """BCP 47 primary tags."""
    step_samples: int
    """Calls are most efficient with this much audio, or a multiple."""
    latency_samples: int
    """Maximum delay of words behind the audio passed in."""
    word_times: bool
    """Whether times are measured."""

    def initial_state(self) -> Any:
        """Return the state before the first sample of a session."""
        ...

    def __call__(self, work: Sequence[StreamInput]) -> list[tuple[StreamedWords, Any]]:
        """Return the next words of several sessions.

        Args:
            work: audio of any length, even empty; none follows ``last``.

        Returns:
            For each: words, and the state for the session's next call. They depend neither on how audio is cut nor,
            except for rounding, on the rest of the batch.
        """
        ...

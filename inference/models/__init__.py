"""What a model is: Protocols with shapes, units and state; backends implement them.

Audio is mono float32 in -1..1 at 16 kHz everywhere here. State is explicit: passed in and
handed out, so that many sessions share one set of weights.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
Samples = NDArray[np.float32]


class ModelMissing(Exception):
    """A model's file is not where it should be; the message names it and the fix."""


class ModelCorrupt(Exception):
    """A model's file is not the one the catalogue knows, or cannot be read as what it should be."""


class TranscriptionFailed(Exception):
    """The recogniser crashed on a piece of audio."""


class VoiceActivityDetector(Protocol):
    """Says how likely each window holds speech."""

    window_samples: int
    """Samples a window; windows do not overlap."""

    def initial_state(self) -> Any:
        """State before the first sample of a session."""
        ...

    def __call__(self, samples: Samples, state: Any) -> tuple[NDArray[np.float32], Any]:
        """Probabilities of speech.

        Args:
            samples: shape (n * window_samples,).
            state: what the previous call of the session returned, or ``initial_state()``.

        Returns:
            Probabilities of shape (n,), 0..1, and the state for the next call.
        """
        ...


@dataclass(frozen=True, slots=True)
class EncoderProfile:
    """How an encoder wants to be used; thresholds belong to the encoder, never to the engine."""

    dimension: int
    window_s: float
    """Length of the windows that speakers are told apart by, seconds."""
    hop_s: float
    """Step between windows, seconds."""
    split_similarity: float
    """Mean cosine similarity under which two groups of windows are two speakers."""
    merge_similarity: float
    """Cosine similarity of two centroids from which they are one voice heard twice."""
    min_cluster_s: float
    """Speech under which a cluster is not a speaker of its own, seconds."""
    max_speakers: int
    """The most speakers estimated."""


class SpeakerEncoder(Protocol):
    """Turns windows of speech into vectors that are close when the voice is the same."""

    profile: EncoderProfile

    def __call__(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """Vectors of shape (n, dimension), each of unit length; windows may differ in length."""
        ...


@dataclass(frozen=True, slots=True)
class RecognisedWord:
    """A word within the audio given to a Transcriber."""

    text: str
    start_s: float
    """From the first sample given, seconds."""
    end_s: float
    confidence: float | None
    """0..1; None where the recogniser does not say."""


class Transcriber(Protocol):
    """Turns speech into words with times."""

    languages: tuple[str, ...]
    """BCP 47 primary tags."""
    max_segment_s: float
    """The longest audio it takes at once, seconds."""

    async def transcribe(self, samples: Samples) -> tuple[RecognisedWord, ...]:
        """The words of one stretch of speech, in the order of time; independent of all calls before.

        Raises TranscriptionFailed.
        """
        ...


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The models of an engine."""

    vad: VoiceActivityDetector
    encoder: SpeakerEncoder
    transcriber: Transcriber
    names: tuple[str, ...]
    """``task: model version`` of each."""
    close: Callable[[], Awaitable[None]]

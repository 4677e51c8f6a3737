"""The contract of models other than recognisers: Protocols with shapes, units and state.

Audio is mono float32 in -1..1 at 16 kHz. State is explicit, passed in and returned, so that many sessions share one set
of weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.models.audio import Samples, StreamInput
from inference.models.recognition import (
    Recogniser,
    StreamingRecogniser,
    WindowRecogniser,
)


class VoiceActivityDetector(Protocol):
    """Estimates the probability of speech in each window."""

    window_samples: int
    """Length of a window; windows do not overlap."""

    def initial_state(self) -> Any:
        """Return the state before the first sample of a session."""
        ...

    def __call__(self, work: Sequence[StreamInput]) -> list[tuple[NDArray[np.float32], Any]]:
        """Return speech probabilities for the next audio of several sessions.

        Args:
            work: each of shape (n * window_samples,); n may differ.

        Returns:
            For each: probabilities of shape (n,), 0..1, and the state for the session's next call. They do not depend
            on the rest of the batch.
        """
        ...


@dataclass(frozen=True, slots=True)
class EncoderProfile:
    """How to use a speaker encoder; thresholds belong to the encoder, never to the engine."""

    dimension: int
    window_s: float
    """Length of the windows to embed, seconds."""
    hop_s: float
    """Step between windows, seconds."""
    split_similarity: float
    """Mean cosine similarity below which two groups of windows are two speakers."""
    merge_similarity: float
    """Cosine similarity from which two centroids are one speaker."""
    online_similarity: float
    """Cosine similarity to all centroids below which a window begins a new voice, provisionally, in a live session."""
    min_cluster_s: float
    """Speech below which a cluster is not a speaker of its own, seconds."""
    max_speakers: int
    """Maximum number of speakers estimated."""
    same_voice_similarity: float
    """Cosine similarity from which speakers of two recordings are the same person: a voice resembles itself less across
    microphones than within one meeting."""
    different_voices_similarity: float | None = None
    """Cosine similarity of two groups of windows below which they are not of one person, also where the microphone was
    changed between them; None where that was not measured."""


class SpeakerEncoder(Protocol):
    """Embeds windows of speech: embeddings of one voice are close."""

    profile: EncoderProfile

    def __call__(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """Return embeddings of shape (n, dimension), unit length; windows of shape (samples,) may differ in length."""
        ...


class FrameDiarizer(Protocol):
    """Streams per-frame speaker activity, overlap included.

    It replaces windows, embeddings and clustering. Speakers are numbered by first speech, and returned frames are never
    revised.
    """

    frame_samples: int
    """Length of a frame."""
    latency_samples: int
    """Audio from the start of a frame until it can be returned, at most."""
    max_speakers: int
    sessions_per_pass: int
    """Sessions computed together; more of them in a call only wait for one another."""
    calls_at_once: int
    """Calls that may run at the same time, each on a thread of its own: 1 where that makes none of them sooner."""
    on_gpu: bool
    """Whether a call with many sessions takes hardly longer than one with few."""

    def initial_state(self) -> Any:
        """Return the state before the first sample of a session."""
        ...

    def needed_samples(self, state: Any) -> int:
        """Return how much audio the session's next call takes, at least 1: as much as completes a chunk of frames."""
        ...

    def __call__(self, work: Sequence[StreamInput]) -> list[tuple[NDArray[np.float32], Any]]:
        """Return the next frames of several sessions, each at its own position.

        Args:
            work: each of shape (needed_samples(state),), or shorter with ``last``, even empty.

        Returns:
            For each: speaker probabilities, shape (frames, max_speakers), 0..1, frames >= 0, and the state for the
            session's next call. The frames of all calls of a session are contiguous and cover its audio, rounded up.
            They do not depend on the rest of the batch, except for rounding.
        """
        ...


class VoiceSegmenter(Protocol):
    """Separates up to three voices within a window, up to two of them at once, without identifying them."""

    window_samples: int
    """Length of a window."""
    frame_samples: int
    """Step between frames."""
    first_frame_samples: int
    """From the start of a window to the middle of its first frame."""
    frames: int
    """Number of frames in a window."""

    def __call__(self, windows: Sequence[Samples]) -> list[NDArray[np.float32]]:
        """Return class probabilities of each window's frames, shape (frames, 7), rows sum to 1.

        The classes are nobody, each voice alone (0, 1, 2), and each pair (01, 02, 12). They do not depend on the rest
        of the batch.

        Args:
            windows: each of shape (window_samples,), or shorter but not empty.
        """
        ...


@dataclass(frozen=True, slots=True)
class OpinionScores:
    """Mean opinion scores of ITU-T P.835, 1 (bad) .. 5 (excellent)."""

    overall: float
    signal: float
    background: float


class QualityEstimator(Protocol):
    """Predicts how listeners would rate recorded speech."""

    window_samples: int
    """Maximum length of a window."""

    def __call__(self, windows: Sequence[Samples]) -> list[OpinionScores]:
        """Rate windows as recorded, each of shape (window_samples,) or shorter but not empty."""
        ...


class TextEncoder(Protocol):
    """Embeds sentences: embeddings of similar meaning are close."""

    dimension: int

    def __call__(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Return embeddings of shape (n, dimension), unit length; each depends on its sentence alone."""
        ...


class SentimentClassifier(Protocol):
    """Estimates the polarity of text."""

    def __call__(self, sentences: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return polarities, -1 (negative) .. 1 (positive), shape (n,); 0 for a sentence without words.

        Args:
            sentences: n sentences.
            vectors: their embeddings by the engine's TextEncoder, shape (n, dimension).
        """
        ...


EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "not_sure")


class EmotionClassifier(Protocol):
    """Classifies the emotion that text expresses. It reads words, never voices."""

    def __call__(self, sentences: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities in the order of EMOTIONS, shape (n, 6); each row sums to 1.

        Args:
            sentences: n sentences.
            vectors: their embeddings by the engine's TextEncoder, shape (n, dimension).
        """
        ...


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model as clients see it: never a path of this machine."""

    task: str
    name: str
    version: str = ""
    """First digits of the file's SHA-256, for a file outside the catalogue."""
    licence: str = ""
    """As the catalogue has it; empty for a file outside of it."""
    commercial_use: bool | None = None
    """Whether the licence allows it; None for a file outside the catalogue."""

    @property
    def label(self) -> str:
        """``task: name``, with the digest where there is one."""
        return f"{self.task}: {self.name}" + (f" (SHA-256 {self.version})" if self.version else "")


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The models of an engine."""

    vad: VoiceActivityDetector
    encoder: SpeakerEncoder
    recogniser: WindowRecogniser | Recogniser | StreamingRecogniser
    quality: QualityEstimator
    text_encoder: TextEncoder
    sentiment: SentimentClassifier
    emotions: EmotionClassifier
    named: tuple[NamedModel, ...]
    """One for each task that has a model."""
    diarizer: FrameDiarizer | None = None
    """Diarizes where present; otherwise embeddings are clustered."""
    segmenter: VoiceSegmenter | None = None
    """Adds overlap to clustering, where present; unused with a diarizer."""

    @property
    def names(self) -> tuple[str, ...]:
        """``label`` of each model."""
        return tuple(model.label for model in self.named)

    @property
    def overlap(self) -> bool:
        """Whether simultaneous speakers are detected."""
        return self.diarizer is not None or self.segmenter is not None

"""What a model is: Protocols with shapes, units and state; backends implement them.

Audio is mono float32 in -1..1 at 16 kHz everywhere here. State is explicit: passed in and
handed out, so that many sessions share one set of weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.models.audio import Samples, Stretch
from inference.models.recognition import (
    Recogniser,
    StreamingRecogniser,
    WindowRecogniser,
)


class VoiceActivityDetector(Protocol):
    """Says how likely each window holds speech."""

    window_samples: int
    """Samples a window; windows do not overlap."""

    def initial_state(self) -> Any:
        """State before the first sample of a session."""
        ...

    def __call__(self, work: Sequence[Stretch]) -> list[tuple[NDArray[np.float32], Any]]:
        """Probabilities of speech, for the next audio of each of several sessions.

        Args:
            work: each of shape (n * window_samples,); n may differ.

        Returns:
            For each: probabilities of shape (n,), 0..1, and the state for the session's next call.
            They do not depend on what else is in the call.
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
    online_similarity: float
    """Cosine similarity to a speaker's centroid under which a window is a voice not heard before,
    as far as can be said while the session goes on."""
    min_cluster_s: float
    """Speech under which a cluster is not a speaker of its own, seconds."""
    max_speakers: int
    """The most speakers estimated."""
    same_voice_similarity: float
    """Cosine similarity from which speakers of two recordings are the same person: over different microphones a
    voice is less like itself than within one meeting."""


class SpeakerEncoder(Protocol):
    """Turns windows of speech into vectors that are close when the voice is the same."""

    profile: EncoderProfile

    def __call__(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """Vectors of shape (n, dimension), each of unit length; windows may differ in length."""
        ...


class FrameDiarizer(Protocol):
    """Says who speaks in every frame, several at once where they do, while the audio comes.

    It takes the place of windows, vectors and clusters. Speakers are numbered in the order in which they
    are first heard, and a frame that was told is never revised.
    """

    frame_samples: int
    """Samples a frame."""
    step_samples: int
    """Samples of new audio a call takes for each session; only the last may be shorter, even empty."""
    latency_samples: int
    """How far behind the end of the audio given the frames told may be."""
    max_speakers: int
    sessions_a_pass: int
    """Sessions that are computed together; more of them in a call only wait for one another."""

    def initial_state(self) -> Any:
        """State before the first sample of a session."""
        ...

    def __call__(self, work: Sequence[Stretch]) -> list[tuple[NDArray[np.float32], Any]]:
        """The next frames of each of several sessions, however far each has come.

        Args:
            work: each of shape (step_samples,), or shorter with ``last``.

        Returns:
            For each: probabilities that a speaker speaks, shape (frames, max_speakers), 0..1, frames >= 0, and
            the state for the session's next call. The frames of all calls of a session, with the last,
            follow one another and cover all of its audio, rounded up. They do not depend on what
            else is in the call, but for rounding.
        """
        ...


class VoiceSegmenter(Protocol):
    """Tells up to three voices apart within a window, two of them at once, but not who they are."""

    window_samples: int
    """Samples of a window."""
    frame_samples: int
    """Samples from frame to frame."""
    first_frame_samples: int
    """Samples from the beginning of a window to the middle of its first frame."""
    frames: int
    """Frames of a window."""

    def __call__(self, windows: Sequence[Samples]) -> list[NDArray[np.float32]]:
        """For each window of shape (window_samples,), or shorter but not empty: shape (frames, 7), rows sum to 1.

        Probabilities that nobody speaks, each voice alone (0, 1, 2), and each two at once (01, 02, 12). They do not
        depend on what else is in the call.
        """
        ...


@dataclass(frozen=True, slots=True)
class OpinionScores:
    """Mean opinion scores of ITU-T P.835, 1 (bad) .. 5 (excellent)."""

    overall: float
    signal: float
    background: float


class QualityEstimator(Protocol):
    """Says how listeners would judge recorded speech."""

    window_samples: int
    """Samples it is given at once."""

    def __call__(self, windows: Sequence[Samples]) -> list[OpinionScores]:
        """Scores of windows as recorded, each of shape (window_samples,) or shorter but not empty."""
        ...


class TextEncoder(Protocol):
    """Turns sentences into vectors that are close when they mean the same."""

    dimension: int

    def __call__(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (n, dimension), each of unit length; a sentence's vector depends on it alone."""
        ...


class SentimentClassifier(Protocol):
    """Says how positive words are."""

    def __call__(self, sentences: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Polarities, -1 (negative) .. 1 (positive); 0 for a sentence without words.

        Args:
            sentences: n sentences.
            vectors: their vectors by the engine's TextEncoder, shape (n, dimension).

        Returns:
            Shape (n,).
        """
        ...


EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "not_sure")


class EmotionClassifier(Protocol):
    """Says which emotion words express. It reads words, never voices."""

    def __call__(self, sentences: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities in the order of EMOTIONS.

        Args:
            sentences: n sentences.
            vectors: their vectors by the engine's TextEncoder, shape (n, dimension).

        Returns:
            Shape (n, 6); each row sums to 1.
        """
        ...


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model as clients are told of it: never a path of this machine."""

    task: str
    name: str
    version: str = ""
    """First digits of its file's SHA-256, for a file that the catalogue does not know."""

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
    """Each of them."""
    diarizer: FrameDiarizer | None = None
    """Where there is one, it says who speaks; else vectors are clustered."""
    segmenter: VoiceSegmenter | None = None
    """Where there is one, and no diarizer, several speakers are heard at once."""

    @property
    def names(self) -> tuple[str, ...]:
        """``task: model`` of each."""
        return tuple(model.label for model in self.named)

    @property
    def overlap(self) -> bool:
        """Whether several speakers can be heard at once."""
        return self.diarizer is not None or self.segmenter is not None

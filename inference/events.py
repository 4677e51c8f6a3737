"""What a session says; seconds from the session's start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.acoustics import RecordingAcoustics, SegmentAcoustics
from inference.models import RecognisedWord


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """Everything up to ``processed_samples`` is analysed, its words included."""

    processed_samples: int
    stage: str


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """A final stretch of speech of one speaker."""

    segment_id: int
    speaker: int
    start_s: float
    end_s: float
    words: tuple[RecognisedWord, ...]
    acoustics: SegmentAcoustics


@dataclass(frozen=True, slots=True)
class FinishedEvent:
    """The session is complete. ``vectors`` has shape (speakers, d), in the order of the speakers' numbers."""

    total_samples: int
    vectors: NDArray[np.float32]
    acoustics: RecordingAcoustics


Event = ProgressEvent | TurnEvent | FinishedEvent

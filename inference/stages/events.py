"""What a session says; seconds from the session's start."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum

from inference.acoustics import RecordingAcoustics, SegmentAcoustics
from inference.diarization import VoiceProfiles
from inference.models import RecognisedWord


class SessionStage(IntEnum):
    """What a session is doing; the numbers are those of Stage in session.proto."""

    ANALYSING = 1
    CLUSTERING = 2


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """Everything up to ``processed_samples`` is analysed, its words included."""

    processed_samples: int
    stage: SessionStage
    heard_samples: int
    """Turns are known up to here, their words perhaps not yet."""
    final_words_samples: int = 0
    """Words that end up to here will not change again."""
    language: str = ""
    """What is spoken now, BCP 47 primary tag; empty while it is not known."""
    language_confidence: float | None = None
    """0..1; None where it is not known or was given."""


class TurnState(IntEnum):
    """How settled a turn is; the numbers are those of TurnState in session.proto."""

    PARTIAL = 1
    STABLE = 2
    FINAL = 3
    RETRACTED = 4


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """A stretch of speech of one speaker, as it is known now."""

    segment_id: int
    speaker: int
    """0: not known yet."""
    start_s: float
    end_s: float
    words: tuple[RecognisedWord, ...]
    acoustics: SegmentAcoustics | None = None
    """Of final turns only."""
    state: TurnState = TurnState.FINAL
    revision: int = 1

    @property
    def language(self) -> str:
        """That most of its words were recognised in; empty where none says it."""
        spoken = Counter(word.language for word in self.words if word.language)
        return min(spoken, key=lambda language: (-spoken[language], language), default="")


@dataclass(frozen=True, slots=True)
class FinishedEvent:
    """The session is complete."""

    total_samples: int
    voices: VoiceProfiles
    acoustics: RecordingAcoustics
    language: str = ""
    """What is spoken most, BCP 47 primary tag; empty without words, or where it is not known."""
    language_confidence: float | None = None
    """0..1; None where it is not known or was given."""


Event = ProgressEvent | TurnEvent | FinishedEvent

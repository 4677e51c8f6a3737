"""The events that a session emits; times in seconds from its start."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum

from inference.acoustics import RecordingAcoustics, SegmentAcoustics
from inference.diarization import VoiceProfiles
from inference.models import RecognisedWord


class SessionStage(IntEnum):
    """Step that a session is at; the numbers are those of Stage in session.proto."""

    ANALYSING = 1
    CLUSTERING = 2


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """Everything before ``processed_samples`` is analysed, words included."""

    processed_samples: int
    stage: SessionStage
    heard_samples: int
    """Turns are known up to this sample, though perhaps not their words."""
    final_words_samples: int = 0
    """Words that end up to this sample are final."""
    language: str = ""
    """Language spoken now, BCP 47 primary tag; empty while unknown."""
    language_confidence: float | None = None
    """0..1; None where the language is unknown or was given."""
    several_voices: bool = False
    """Several people clearly speak, although one is expected."""


class TurnState(IntEnum):
    """How settled a turn is; the numbers are those of TurnState in session.proto."""

    PARTIAL = 1
    STABLE = 2
    FINAL = 3
    RETRACTED = 4


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """A span of speech of one speaker, as currently known."""

    segment_id: int
    speaker: int
    """From 1; 0: not known yet."""
    start_s: float
    end_s: float
    words: tuple[RecognisedWord, ...]
    acoustics: SegmentAcoustics | None = None
    """Of final turns only."""
    state: TurnState = TurnState.FINAL
    revision: int = 1
    ended: bool = False
    """The speech has ended, though its words may still come; told while the session is live."""

    @property
    def language(self) -> str:
        """Language of most of its words; empty where none has one."""
        spoken = Counter(word.language for word in self.words if word.language)
        return min(spoken, key=lambda language: (-spoken[language], language), default="")


@dataclass(frozen=True, slots=True)
class FinishedEvent:
    """The session is complete."""

    total_samples: int
    voices: VoiceProfiles
    acoustics: RecordingAcoustics
    language: str = ""
    """Language of most speech, BCP 47 primary tag; empty without words, or while unknown."""
    language_confidence: float | None = None
    """0..1; None where the language is unknown or was given."""


Event = ProgressEvent | TurnEvent | FinishedEvent

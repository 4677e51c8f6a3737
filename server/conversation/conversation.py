"""What a conversation is: who spoke when, and which words were recognised.

All times are integer microseconds from the start of the meeting.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

UNKNOWN_SPEAKER = 0
# Pauses under this are within one stretch of speech: they are shorter than what a
# diarizer's frames resolve reliably.
SPEECH_GAP_US = 200_000


class Interval(NamedTuple):
    """A half-open stretch of time."""

    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word."""

    text: str
    start_us: int
    end_us: int
    confidence: float | None
    """How sure the recogniser is, 0..1; None where it does not say."""


@dataclass(frozen=True, slots=True)
class Acoustics:
    """How a segment sounds; units as in ``Acoustics`` of meetra/inference/v2/session.proto."""

    level_dbfs: float
    noise_dbfs: float | None = None
    voiced_seconds: float = 0.0
    pitch_semitones: float | None = None
    pitch_spread_semitones: float | None = None
    clipping_percent: float = 0.0
    mos_overall: float | None = None
    mos_signal: float | None = None
    mos_background: float | None = None
    decays_db_per_s: tuple[float, ...] = ()
    gaps: int = 0
    gap_seconds: float = 0.0


# The order of ``Sentence.emotions``.
EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "not_sure")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that one speaker said, spelled with capitals and punctuation."""

    segment_id: int
    """The segment in which it begins."""
    speaker: int
    start_us: int
    end_us: int
    text: str
    asks: bool
    polarity: float | None = None
    """-1 (negative) .. 1 (positive); None until a model has read it."""
    emotions: tuple[float, ...] | None = None
    """Probabilities in the order of EMOTIONS; None until a model has read it."""
    vector: bytes = b""
    """Sentence vector as little-endian float16, of unit length; empty until a model has read it."""
    language: str = ""
    """BCP 47 primary tag of its words; empty where it is not known."""

    @property
    def duration_us(self) -> int:
        """Time from its first word to its last."""
        return self.end_us - self.start_us


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech of one speaker, as the diarizer framed it."""

    segment_id: int
    speaker: int
    """Number of the speaker within the meeting, from 1; UNKNOWN_SPEAKER (0) where it is not known."""
    start_us: int
    end_us: int
    words: tuple[Word, ...] = ()
    speaker_confidence: float | None = None
    """How sure the engine is of the speaker, 0..1; None where it does not say."""
    acoustics: Acoustics | None = None
    """None where the engine does not measure it."""
    language: str = ""
    """BCP 47 primary tag of its words; empty without words, or where it is not known."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What the engine that analysed the meeting can measure; nothing else may be reported."""

    models: tuple[str, ...] = ()
    overlap: bool = False
    languages: tuple[str, ...] = ()
    word_times: bool = True
    """False when the times of words are estimates."""
    max_speakers: int = 0
    key_terms: bool = False
    """Whether the recogniser uses key terms."""


def merge_intervals(intervals: Iterable[Interval], gap_us: int = 0) -> tuple[Interval, ...]:
    """The union of ``intervals`` in the order of time; gaps under ``gap_us`` are closed, touching ones joined."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and (interval.start_us <= merged[-1].end_us or interval.start_us - merged[-1].end_us < gap_us):
            merged[-1] = Interval(merged[-1].start_us, max(merged[-1].end_us, interval.end_us))
        else:
            merged.append(interval)
    return tuple(merged)


@dataclass(frozen=True)
class Conversation:
    """Everything the metrics are computed from."""

    duration_us: int
    speakers: tuple[int, ...]
    """Numbers of the detected speakers, in the order of their first words; never UNKNOWN_SPEAKER."""
    segments: tuple[Segment, ...]
    """In the order of time."""
    engine: Engine
    noise_dbfs: float | None = None
    """Level of the recording when nobody speaks; None where it is not known."""
    music: tuple[Interval, ...] = ()
    """Where music plays, in the order of time."""
    sentences: tuple[Sentence, ...] = ()
    """In the order of time."""
    language: str = ""
    """BCP 47 primary tag of the language spoken most; empty where it is not known."""
    language_confidence: float | None = None
    """How sure the engine is of it, 0..1; None where it was given or is not known."""

    @cached_property
    def words(self) -> tuple[tuple[Word, int], ...]:
        """Every word with its speaker, in the order of time."""
        pairs = ((word, segment.speaker) for segment in self.segments for word in segment.words)
        return tuple(sorted(pairs, key=lambda pair: (pair[0].start_us, pair[0].end_us)))

    @property
    def mean_word_confidence(self) -> float | None:
        """Mean confidence over the words that carry one, 0..1; None when none does."""
        known = [word.confidence for word, _ in self.words if word.confidence is not None]
        return sum(known) / len(known) if known else None

    def speech(self, speaker: int) -> tuple[Interval, ...]:
        """When ``speaker`` speaks, gaps under 0.2 s merged (a diarizer's own resolution)."""
        own = (Interval(s.start_us, s.end_us) for s in self.segments if s.speaker == speaker)
        return merge_intervals(own, SPEECH_GAP_US)

    def speaking_us(self, speaker: int) -> int:
        """Speaking time of ``speaker``; speech under overlap counts for each who speaks."""
        return sum(end - start for start, end in self.speech(speaker))

    @cached_property
    def speech_us(self) -> int:
        """Time in which at least one known speaker speaks."""
        everyone = (interval for speaker in self.speakers for interval in self.speech(speaker))
        return sum(end - start for start, end in merge_intervals(everyone))

    def to_document(self) -> dict[str, Any]:
        """A JSON-able form; ``from_document`` is its inverse."""
        return {
            "duration_us": self.duration_us,
            "speakers": list(self.speakers),
            "segments": [asdict(segment) for segment in self.segments],
            "engine": asdict(self.engine),
            "noise_dbfs": self.noise_dbfs,
            "music": [list(interval) for interval in self.music],
            "sentences": [
                {**asdict(sentence), "vector": base64.b64encode(sentence.vector).decode()}
                for sentence in self.sentences
            ],
            "language": self.language,
            "language_confidence": self.language_confidence,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Conversation:
        """Reads what ``to_document`` wrote, in this version or an earlier one."""
        engine = document["engine"]
        return cls(
            duration_us=document["duration_us"],
            speakers=tuple(document["speakers"]),
            segments=tuple(_segment(segment) for segment in document["segments"]),
            engine=Engine(**{**engine, "models": tuple(engine["models"]), "languages": tuple(engine["languages"])}),
            noise_dbfs=document.get("noise_dbfs"),
            music=tuple(Interval(*pair) for pair in document.get("music", ())),
            sentences=tuple(_sentence(sentence) for sentence in document.get("sentences", ())),
            language=document.get("language", ""),
            language_confidence=document.get("language_confidence"),
        )


def _segment(document: dict[str, Any]) -> Segment:
    acoustics = document.get("acoustics")
    if acoustics is not None:
        acoustics = Acoustics(**{**acoustics, "decays_db_per_s": tuple(acoustics["decays_db_per_s"])})
    words = tuple(Word(**word) for word in document["words"])
    return Segment(**{**document, "words": words, "acoustics": acoustics})


def _sentence(document: dict[str, Any]) -> Sentence:
    emotions = document["emotions"]
    return Sentence(
        **{
            **document,
            "emotions": tuple(emotions) if emotions is not None else None,
            "vector": base64.b64decode(document["vector"]),
        }
    )

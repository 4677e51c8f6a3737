"""What a conversation is: who spoke when, and which words were recognised.

All times are integer microseconds from the start of the meeting.
"""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class Engine:
    """What the engine that analysed the meeting can measure; nothing else may be reported."""

    models: tuple[str, ...] = ()
    overlap: bool = False
    languages: tuple[str, ...] = ()
    word_times: bool = True
    max_speakers: int = 0


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
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Conversation:
        """Reads what ``to_document`` wrote."""
        engine = document["engine"]
        return cls(
            duration_us=document["duration_us"],
            speakers=tuple(document["speakers"]),
            segments=tuple(
                Segment(**{**segment, "words": tuple(Word(**word) for word in segment["words"])})
                for segment in document["segments"]
            ),
            engine=Engine(**{**engine, "models": tuple(engine["models"]), "languages": tuple(engine["languages"])}),
        )

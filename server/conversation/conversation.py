"""The conversation: who spoke when, with the recognised words.

All times are integer microseconds from the start of the meeting.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

UNKNOWN_SPEAKER = 0
# Shorter pauses are bridged: they are below a diarizer's reliable frame resolution.
SPEECH_GAP_US = 200_000


class Interval(NamedTuple):
    """A half-open time span."""

    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word."""

    text: str
    start_us: int
    end_us: int
    confidence: float | None
    """The recogniser's confidence, 0..1; None if it gives none."""


@dataclass(frozen=True, slots=True)
class Acoustics:
    """Acoustic measurements of a segment; units as in ``Acoustics`` of meetra/inference/v2/session.proto."""

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
    """A sentence by one speaker, with capitals and punctuation."""

    segment_id: int
    """The segment in which it begins."""
    speaker: int
    start_us: int
    end_us: int
    text: str
    """Empty where the words were removed by hand."""
    asks: bool
    polarity: float | None = None
    """-1 (negative) .. 1 (positive); None until analysed."""
    emotions: tuple[float, ...] | None = None
    """Probabilities in the order of EMOTIONS; None until analysed."""
    vector: bytes = b""
    """Unit-length sentence embedding, little-endian float16; empty until analysed."""
    language: str = ""
    """BCP 47 primary tag of its words; empty if unknown."""

    @property
    def duration_us(self) -> int:
        """Time from the start of the first word to the end of the last, microseconds."""
        return self.end_us - self.start_us


@dataclass(frozen=True, slots=True)
class Original:
    """What the engine found of a sentence that was corrected by hand."""

    text: str | None = None
    """Its text; None where the words were not corrected."""
    speaker: int | None = None
    """Whose it would be had it not been moved by itself; None where it was not."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A span of speech by one speaker, as found by the diarizer."""

    segment_id: int
    speaker: int
    """Number of the speaker within the meeting, from 1; UNKNOWN_SPEAKER (0) if unknown."""
    start_us: int
    end_us: int
    words: tuple[Word, ...] = ()
    speaker_confidence: float | None = None
    """The engine's confidence in the speaker, 0..1; None if it gives none."""
    acoustics: Acoustics | None = None
    """None if the engine does not measure it."""
    language: str = ""
    """BCP 47 primary tag of its words; empty without words or if unknown."""


@dataclass(frozen=True, slots=True)
class EngineCapabilities:
    """The capabilities of the engine that analysed the meeting; nothing beyond them may be reported."""

    models: tuple[str, ...] = ()
    overlap: bool = False
    languages: tuple[str, ...] = ()
    word_times: bool = True
    """False if word times are estimates."""
    max_speakers: int = 0
    key_terms: bool = False
    """Whether the recogniser uses key terms."""


def speakers_by_first_speech(segments: Iterable[Segment]) -> tuple[int, ...]:
    """Return the numbers of the speakers of segments, which are in time order; never UNKNOWN_SPEAKER."""
    return tuple(dict.fromkeys(s.speaker for s in segments if s.speaker != UNKNOWN_SPEAKER))


def merge_intervals(intervals: Iterable[Interval], gap_us: int = 0) -> tuple[Interval, ...]:
    """Return the union of intervals in time order, merging ones that touch or are less than ``gap_us`` apart."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and (interval.start_us <= merged[-1].end_us or interval.start_us - merged[-1].end_us < gap_us):
            merged[-1] = Interval(merged[-1].start_us, max(merged[-1].end_us, interval.end_us))
        else:
            merged.append(interval)
    return tuple(merged)


@dataclass(frozen=True)
class Conversation:
    """The input of all metrics."""

    duration_us: int
    speakers: tuple[int, ...]
    """Numbers of the detected speakers, in order of first speech; never UNKNOWN_SPEAKER."""
    segments: tuple[Segment, ...]
    """In time order."""
    engine: EngineCapabilities
    noise_dbfs: float | None = None
    """Level of the recording without speech, dBFS; None if unknown."""
    music: tuple[Interval, ...] = ()
    """Spans with music, in time order."""
    sentences: tuple[Sentence, ...] = ()
    """In time order."""
    language: str = ""
    """BCP 47 primary tag of the most spoken language; empty if unknown."""
    language_confidence: float | None = None
    """The engine's confidence in it, 0..1; None if it was stated or is unknown."""
    originals: Mapping[int, Original] = field(default_factory=dict)
    """Of the corrected sentences, by their place in ``sentences``. Not in documents: ``apply_edits`` sets it."""

    @cached_property
    def words(self) -> tuple[tuple[Word, int], ...]:
        """All words with their speakers, in time order."""
        pairs = ((word, segment.speaker) for segment in self.segments for word in segment.words)
        return tuple(sorted(pairs, key=lambda pair: (pair[0].start_us, pair[0].end_us)))

    @cached_property
    def spoken_sentences(self) -> tuple[Sentence, ...]:
        """The sentences but those whose words were removed, in time order."""
        return tuple(sentence for sentence in self.sentences if sentence.text)

    @property
    def mean_word_confidence(self) -> float | None:
        """Mean confidence over the words that have one, 0..1; None if none has."""
        known = [word.confidence for word, _ in self.words if word.confidence is not None]
        return sum(known) / len(known) if known else None

    def speech(self, speaker: int) -> tuple[Interval, ...]:
        """Return the spans in which ``speaker`` speaks, with gaps under 0.2 s merged."""
        own = (Interval(s.start_us, s.end_us) for s in self.segments if s.speaker == speaker)
        return merge_intervals(own, SPEECH_GAP_US)

    def speaking_us(self, speaker: int) -> int:
        """Return the speaking time of ``speaker``, microseconds; overlapped speech counts for each speaker."""
        return sum(end - start for start, end in self.speech(speaker))

    @cached_property
    def speech_us(self) -> int:
        """Time in which at least one known speaker speaks, microseconds."""
        everyone = (interval for speaker in self.speakers for interval in self.speech(speaker))
        return sum(end - start for start, end in merge_intervals(everyone))

    def to_document(self) -> dict[str, Any]:
        """Return JSON-compatible values; ``from_document`` is the inverse."""
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
        """Rebuild a conversation from ``to_document``'s output, of this version or an earlier one."""
        engine = document["engine"]
        return cls(
            duration_us=document["duration_us"],
            speakers=tuple(document["speakers"]),
            segments=tuple(_segment(segment) for segment in document["segments"]),
            engine=EngineCapabilities(
                **{**engine, "models": tuple(engine["models"]), "languages": tuple(engine["languages"])}
            ),
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

"""Who said what: statements in the order of time, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import NotRequired, TypedDict

from server.conversation import Conversation, joined_sentences
from server.insights.family import Family, MeetingFacts

DEFINITION_VERSION = "4"
# With the default recogniser's calibrated confidence it separates recordings of under 30 % wrong words from others:
# python -m benchmarks.confidence, docs/accuracy.md.
RELIABLE_CONFIDENCE = 0.8


class StatementDocument(TypedDict):
    """A stored ``Statement``."""

    speaker: int
    text: str
    start_ms: int


class WordDocument(TypedDict):
    """A stored ``TimedWord``."""

    text: str
    speaker: int
    start_ms: int
    end_ms: int
    confidence: float | None


class SpokenLanguage(TypedDict):
    """The language spoken most."""

    language: NotRequired[str]
    language_confidence: NotRequired[float | None]


class Reliability(SpokenLanguage):
    """How far whatever is made from the words can be trusted."""

    reliable: bool
    mean_word_confidence: float | None


class TranscriptDocument(Reliability):
    """What ``GET /single-feature-api/meeting/transcription`` answers from, but for the words."""

    entries: list[StatementDocument]
    threshold: float


class WordsDocument(TypedDict):
    """Every word; large and rarely wanted, so that the transcript is stored and read without them."""

    words: list[WordDocument]


class MadeOfWords(TypedDict):
    """A document that says how far the words it is made from can be trusted."""

    reliability: Reliability


@dataclass(frozen=True, slots=True)
class Statement:
    """What one speaker said until somebody else's words begin."""

    speaker: int
    text: str
    start_ms: int

    def to_document(self) -> StatementDocument:
        """A JSON-able form."""
        return {"speaker": self.speaker, "text": self.text, "start_ms": self.start_ms}


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word in milliseconds, as the answers carry it."""

    text: str
    speaker: int
    start_ms: int
    end_ms: int
    confidence: float | None

    def to_document(self) -> WordDocument:
        """A JSON-able form."""
        return {
            "text": self.text,
            "speaker": self.speaker,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "confidence": self.confidence,
        }


@dataclass(frozen=True, slots=True)
class Transcript:
    """The transcript and its reliability."""

    entries: tuple[Statement, ...]
    words: tuple[TimedWord, ...]
    mean_word_confidence: float | None
    language: str = ""
    """Primary tag of the language spoken most; empty where it is not known."""
    language_confidence: float | None = None
    """How sure the engine is of it, 0..1; None where it was given or is not known."""

    @property
    def reliable(self) -> bool:
        """False without words, and when their mean confidence is known and under the threshold."""
        if not self.words:
            return False
        return self.mean_word_confidence is None or self.mean_word_confidence >= RELIABLE_CONFIDENCE

    @property
    def reliability(self) -> Reliability:
        """How far whatever is made from the words can be trusted, JSON-able."""
        return {
            "reliable": self.reliable,
            "mean_word_confidence": self.mean_word_confidence,
            "language": self.language,
            "language_confidence": self.language_confidence,
        }

    def to_document(self) -> TranscriptDocument:
        """A JSON-able form without the words."""
        return {
            "entries": [entry.to_document() for entry in self.entries],
            "threshold": RELIABLE_CONFIDENCE,
            **self.reliability,
        }


def transcript(conversation: Conversation) -> Transcript:
    """Neighbouring sentences of one speaker make one statement."""
    entries = []
    for speaker, run in groupby(conversation.sentences, key=lambda sentence: sentence.speaker):
        said = list(run)
        entries.append(Statement(speaker, joined_sentences(s.text for s in said), said[0].start_us // 1000))
    words = tuple(
        TimedWord(word.text, speaker, word.start_us // 1000, word.end_us // 1000, word.confidence)
        for word, speaker in conversation.words
    )
    mean = conversation.mean_word_confidence
    return Transcript(
        tuple(entries),
        words,
        round(mean, 4) if mean is not None else None,
        conversation.language,
        conversation.language_confidence,
    )


def transcript_of(meeting: MeetingFacts) -> Transcript:
    """The meeting's transcript, made once."""
    return meeting.once(_transcript)


def _transcript(meeting: MeetingFacts) -> Transcript:
    return transcript(meeting.conversation)


def _words(meeting: MeetingFacts) -> WordsDocument:
    return {"words": [word.to_document() for word in transcript_of(meeting).words]}


TRANSCRIPT = Family("transcript", DEFINITION_VERSION, lambda meeting: transcript_of(meeting).to_document())
WORDS = Family("words", DEFINITION_VERSION, _words)

"""The transcript: statements in time order, and their reliability."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import NotRequired, TypedDict

from server.conversation import Conversation, join_sentences
from server.insights.family import Family, MeetingFacts

DEFINITION_VERSION = "4"
WORDS_DEFINITION_VERSION = "5"
# Separates recordings with under 30 % word errors from others, on the default recogniser's calibrated confidence:
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


class LanguageDocument(TypedDict):
    """The most spoken language."""

    language: NotRequired[str]
    language_confidence: NotRequired[float | None]


class Reliability(LanguageDocument):
    """The reliability of answers derived from words."""

    reliable: bool
    mean_word_confidence: float | None


class TranscriptDocument(Reliability):
    """Stored answer of ``GET /single-feature-api/meeting/transcription``, without the words."""

    entries: list[StatementDocument]
    threshold: float


class SentenceDocument(TypedDict):
    """A sentence; its number is its place, from 1."""

    speaker: int
    text: str
    start_ms: int
    end_ms: int
    original_text: NotRequired[str]
    """What the engine wrote, where the words were corrected or removed."""
    original_speaker: NotRequired[int]
    """Whose it would be, where it was moved."""


class WordsDocument(TypedDict):
    """All words and sentences; large and rarely requested, hence stored apart from the transcript."""

    words: list[WordDocument]
    sentences: NotRequired[list[SentenceDocument]]


class WordBasedDocument(TypedDict):
    """A document with the reliability of the words it is derived from."""

    reliability: Reliability


@dataclass(frozen=True, slots=True)
class Statement:
    """Consecutive sentences of one speaker."""

    speaker: int
    text: str
    start_ms: int

    def to_document(self) -> StatementDocument:
        """Return JSON-compatible values."""
        return {"speaker": self.speaker, "text": self.text, "start_ms": self.start_ms}


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word with times in milliseconds, as in answers."""

    text: str
    speaker: int
    start_ms: int
    end_ms: int
    confidence: float | None

    def to_document(self) -> WordDocument:
        """Return JSON-compatible values."""
        return {
            "text": self.text,
            "speaker": self.speaker,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "confidence": self.confidence,
        }


@dataclass(frozen=True, slots=True)
class Transcript:
    """The transcript with its reliability."""

    entries: tuple[Statement, ...]
    words: tuple[TimedWord, ...]
    mean_word_confidence: float | None
    language: str = ""
    """BCP 47 primary tag of the most spoken language; empty if unknown."""
    language_confidence: float | None = None
    """The engine's confidence in it, 0..1; None if it was stated or is unknown."""

    @property
    def reliable(self) -> bool:
        """False without words, or with a known mean confidence below the threshold."""
        if not self.words:
            return False
        return self.mean_word_confidence is None or self.mean_word_confidence >= RELIABLE_CONFIDENCE

    @property
    def reliability(self) -> Reliability:
        """The reliability of answers derived from the words, JSON-compatible."""
        return {
            "reliable": self.reliable,
            "mean_word_confidence": self.mean_word_confidence,
            "language": self.language,
            "language_confidence": self.language_confidence,
        }

    def to_document(self) -> TranscriptDocument:
        """Return JSON-compatible values, without the words."""
        return {
            "entries": [entry.to_document() for entry in self.entries],
            "threshold": RELIABLE_CONFIDENCE,
            **self.reliability,
        }


def transcript(conversation: Conversation) -> Transcript:
    """Return the transcript; consecutive sentences of one speaker form a statement."""
    entries = []
    for speaker, run in groupby(conversation.spoken_sentences, key=lambda sentence: sentence.speaker):
        sentences = list(run)
        entries.append(Statement(speaker, join_sentences(s.text for s in sentences), sentences[0].start_us // 1000))
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


def meeting_transcript(meeting: MeetingFacts) -> Transcript:
    """Return the meeting's transcript, computed once."""
    return meeting.cached(_transcript)


def _transcript(meeting: MeetingFacts) -> Transcript:
    return transcript(meeting.conversation)


def sentence_document(conversation: Conversation, index: int) -> SentenceDocument:
    """Return the sentence at a place of the conversation, JSON-compatible."""
    sentence, original = conversation.sentences[index], conversation.originals.get(index)
    document: SentenceDocument = {
        "speaker": sentence.speaker,
        "text": sentence.text,
        "start_ms": sentence.start_us // 1000,
        "end_ms": sentence.end_us // 1000,
    }
    if original is not None and original.text is not None:
        document["original_text"] = original.text
    if original is not None and original.speaker is not None:
        document["original_speaker"] = original.speaker
    return document


def _words(meeting: MeetingFacts) -> WordsDocument:
    conversation = meeting.conversation
    return {
        "words": [word.to_document() for word in meeting_transcript(meeting).words],
        "sentences": [sentence_document(conversation, index) for index in range(len(conversation.sentences))],
    }


TRANSCRIPT = Family("transcript", DEFINITION_VERSION, lambda meeting: meeting_transcript(meeting).to_document())
WORDS = Family("words", WORDS_DEFINITION_VERSION, _words)

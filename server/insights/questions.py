"""The questions asked in a meeting."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from server.conversation import ENGLISH, Conversation, count_words, find_punctuated_languages, resolve_language
from server.insights.family import Family, MeetingFacts
from server.insights.timeline import format_languages
from server.insights.transcript import WordBasedDocument, meeting_transcript

DEFINITION_VERSION = "2"
# A single word with a question mark is not worth listing.
MIN_WORDS = 2


class Question(TypedDict):
    """A question."""

    speaker: int
    question: str
    start_ms: int


class QuestionsDocument(WordBasedDocument):
    """Stored answer of ``GET /single-feature-api/meeting/questions``."""

    questions: list[Question]
    method: NotRequired[str]
    """As ``QuestionDetection.method``; ``rules`` if missing."""
    reason: NotRequired[str | None]


def questions(conversation: Conversation) -> list[Question]:
    """Return all questions, in time order."""
    return [
        {"speaker": s.speaker, "question": s.text, "start_ms": s.start_us // 1000}
        for s in conversation.sentences
        if s.asks and count_words(s.text, s.language) >= MIN_WORDS
    ]


@dataclass(frozen=True, slots=True)
class QuestionDetection:
    """How the questions of a meeting were detected."""

    method: str
    """``marks`` of the recogniser, ``rules`` for unpunctuated English, ``none`` if neither applies."""
    reason: str | None
    """Why questions in some language are missing; None if none are."""


def detect_question_method(conversation: Conversation) -> QuestionDetection:
    """Return how questions are detected: by question marks in all languages, by syntax in unpunctuated English only."""
    spoken: Counter[str] = Counter()
    for segment in conversation.segments:
        if segment.words:
            spoken[resolve_language(segment.language, conversation.engine)] += segment.end_us - segment.start_us
    unpunctuated = spoken.keys() - find_punctuated_languages(conversation)
    undetected = Counter({language: spoken[language] for language in unpunctuated if language != ENGLISH})
    if not undetected:
        return QuestionDetection("rules" if ENGLISH in unpunctuated or not spoken else "marks", None)
    detection = "Without question marks, questions are detected in English only"
    if len(undetected) == len(spoken):
        return QuestionDetection("none", f"{detection}; this meeting is in {format_languages(undetected)}.")
    method = "rules" if ENGLISH in unpunctuated else "marks"
    return QuestionDetection(method, f"{detection}; speech in {format_languages(undetected)} is left out.")


def _document(meeting: MeetingFacts) -> QuestionsDocument:
    detection = detect_question_method(meeting.conversation)
    return {
        "questions": questions(meeting.conversation),
        "method": detection.method,
        "reason": detection.reason,
        "reliability": meeting_transcript(meeting).reliability,
    }


QUESTIONS = Family("questions", DEFINITION_VERSION, _document)

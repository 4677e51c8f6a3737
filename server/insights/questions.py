"""The questions asked in a meeting."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from server.conversation import ENGLISH, Conversation, known_language, punctuated_languages, word_count
from server.insights.family import Family, MeetingFacts
from server.insights.timeline import listed_languages
from server.insights.transcript import MadeOfWords, transcript_of

DEFINITION_VERSION = "2"
# A single word with a question mark is not worth listing.
MIN_WORDS = 2


class Question(TypedDict):
    """A question."""

    speaker: int
    question: str
    start_ms: int


class QuestionsDocument(MadeOfWords):
    """Stored answer of ``GET /single-feature-api/meeting/questions``."""

    questions: list[Question]
    method: NotRequired[str]
    """As ``ToldBy.method``; ``rules`` if missing."""
    reason: NotRequired[str | None]


def questions(conversation: Conversation) -> list[Question]:
    """Return all questions, in time order."""
    return [
        {"speaker": s.speaker, "question": s.text, "start_ms": s.start_us // 1000}
        for s in conversation.sentences
        if s.asks and word_count(s.text, s.language) >= MIN_WORDS
    ]


@dataclass(frozen=True, slots=True)
class ToldBy:
    """How the questions of a meeting were detected."""

    method: str
    """``marks`` of the recogniser, ``rules`` for unpunctuated English, ``none`` if neither applies."""
    reason: str | None
    """Why questions in some language are missing; None if none are."""


def told_by(conversation: Conversation) -> ToldBy:
    """Return how questions are detected: by question marks in all languages, by syntax in unpunctuated English only."""
    spoken: Counter[str] = Counter()
    for segment in conversation.segments:
        if segment.words:
            spoken[known_language(segment.language, conversation.engine)] += segment.end_us - segment.start_us
    bare = spoken.keys() - punctuated_languages(conversation)
    untold = Counter({language: spoken[language] for language in bare if language != ENGLISH})
    if not untold:
        return ToldBy("rules" if ENGLISH in bare or not spoken else "marks", None)
    told = "Without question marks, questions are told in English only"
    if len(untold) == len(spoken):
        return ToldBy("none", f"{told}; this meeting is in {listed_languages(untold)}.")
    method = "rules" if ENGLISH in bare else "marks"
    return ToldBy(method, f"{told}; what is said in {listed_languages(untold)} is left out.")


def _document(meeting: MeetingFacts) -> QuestionsDocument:
    told = told_by(meeting.conversation)
    return {
        "questions": questions(meeting.conversation),
        "method": told.method,
        "reason": told.reason,
        "reliability": transcript_of(meeting).reliability,
    }


QUESTIONS = Family("questions", DEFINITION_VERSION, _document)

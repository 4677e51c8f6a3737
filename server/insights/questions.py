"""The questions that were asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from server.conversation import ENGLISH, Conversation, known_language, punctuated_languages, word_count
from server.insights.english_only import listed_languages

DEFINITION_VERSION = "2"
# A single word with a question mark asks nothing that anybody would want listed.
MIN_WORDS = 2


def questions(conversation: Conversation) -> list[dict[str, Any]]:
    """Row 10: every sentence that asks, in the order of time: ``speaker``, ``question``, ``start_ms``."""
    return [
        {"speaker": s.speaker, "question": s.text, "start_ms": s.start_us // 1000}
        for s in conversation.sentences
        if s.asks and word_count(s.text, s.language) >= MIN_WORDS
    ]


@dataclass(frozen=True, slots=True)
class ToldBy:
    """How the questions of a meeting are told from the rest."""

    method: str
    """``marks`` of the recogniser, ``rules`` on bare English words, ``none`` where neither is there."""
    reason: str | None
    """Why the questions of a language are missing; None where none are."""


def told_by(conversation: Conversation) -> ToldBy:
    """How questions are told: marks tell them in every language, the syntax of bare words in English alone."""
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

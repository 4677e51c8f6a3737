"""Sentiment of what is said in English, from words alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NotRequired, TypedDict

from server.insights.family import Family
from server.insights.timeline import (
    Support,
    SupportDocument,
    Timeline,
    Window,
    absence,
    sentences_note,
    support_of,
    weighted_mean,
)

DEFINITION_VERSION = "3"
# VADER's published threshold (Hutto and Gilbert 2014), and the middle of each side.
NEUTRAL_BELOW, STRONG_FROM = 0.05, 0.5


def mean_polarity(line: Timeline, window: Window, speaker: int | None = None) -> float | None:
    """Duration-weighted mean polarity of the English sentences in a window, -1..1; None without any.

    ``speaker``: of this speaker's sentences alone.
    """
    return weighted_mean(
        (sentence.polarity, weight)
        for sentence, weight in line.sentences_in(window)
        if sentence.polarity is not None and (speaker is None or sentence.speaker == speaker)
    )


def sentiment_score(polarity: float | None) -> int:
    """round(50 + 50 s), 0..100; 50 where nothing is known."""
    return round(50 + 50 * (polarity or 0.0))


def sentiment_label(polarity: float | None) -> str:
    """The documented label of a mean polarity; Neutral where nothing is known."""
    s = polarity or 0.0
    if abs(s) < NEUTRAL_BELOW:
        return "Neutral"
    degree = "" if abs(s) >= STRONG_FROM else "Somewhat "
    return degree + ("Positive" if s > 0 else "Negative")


class SentimentDocument(TypedDict):
    """A stored ``Sentiment``."""

    score: int | None
    label: str | None
    mean_polarity: float | None
    sentences: int
    support: SupportDocument
    sentences_in_all: NotRequired[int | None]
    reason: NotRequired[str | None]


@dataclass(frozen=True, slots=True)
class Sentiment:
    """The sentiment of a meeting."""

    score: int | None
    label: str | None
    mean_polarity: float | None
    sentences: int
    """How many were read."""
    support: Support
    sentences_in_all: int | None = None
    """None where all were read."""
    reason: str | None = None
    """Why score and label are None."""

    def to_document(self) -> SentimentDocument:
        """A JSON-able form."""
        return {
            "score": self.score,
            "label": self.label,
            "mean_polarity": self.mean_polarity,
            "sentences": self.sentences,
            "support": self.support.to_document(),
            "sentences_in_all": self.sentences_in_all,
            "reason": self.reason,
        }


def sentiment(line: Timeline) -> Sentiment:
    """``sentiment_score``: round(50 + 50 times the duration-weighted mean polarity of the sentences), 0..100.

    It is that of the words, in the order of their dictionary senses: irony and tone are not heard. English sentences
    alone are read; score and label are None where there are others only.
    Under 10 s of speech: 50, Neutral, insufficient; the mean polarity is shown all the same.
    """
    support = support_of(line, DEFINITION_VERSION, 1)
    said = len(line.sentences)
    reason = absence(line, line.whole, "Sentiment is")
    if reason is not None:
        unread = replace(support, sufficient=False, reason=reason)
        return Sentiment(None, None, None, 0, unread, sentences_in_all=said, reason=reason)
    polarity = mean_polarity(line, line.whole)
    counted = polarity if support.sufficient else None
    return Sentiment(
        score=sentiment_score(counted),
        label=sentiment_label(counted),
        mean_polarity=None if polarity is None else round(polarity, 4),
        sentences=line.sentences_read,
        support=replace(support, note=sentences_note(line, "Sentiment is")),
        sentences_in_all=said if line.sentences_read < said else None,
    )


SENTIMENT = Family("sentiment", DEFINITION_VERSION, lambda meeting: sentiment(meeting.timeline).to_document())

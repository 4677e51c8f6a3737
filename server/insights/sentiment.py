"""Sentiment of English speech, from words only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NotRequired, TypedDict

from server.insights.family import Family
from server.insights.timeline import (
    Support,
    SupportDocument,
    Timeline,
    Window,
    absence_reason,
    analysed_sentences_note,
    compute_support,
    weighted_mean,
)

DEFINITION_VERSION = "3"
# VADER's published threshold (Hutto and Gilbert, 2014), and the middle of each side.
NEUTRAL_BELOW, STRONG_FROM = 0.05, 0.5


def mean_polarity(timeline: Timeline, window: Window, speaker: int | None = None) -> float | None:
    """Return the duration-weighted mean polarity of a window's English sentences, -1..1; None without any.

    Args:
        speaker: restricts the sentences to this speaker's.
    """
    return weighted_mean(
        (sentence.polarity, weight)
        for sentence, weight in timeline.sentences_in(window)
        if sentence.polarity is not None and (speaker is None or sentence.speaker == speaker)
    )


def sentiment_score(polarity: float | None) -> int:
    """Return round(50 + 50 s), 0..100; 50 if unknown."""
    return round(50 + 50 * (polarity or 0.0))


def sentiment_label(polarity: float | None) -> str:
    """Return the documented label of a mean polarity; Neutral if unknown."""
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
    """Number of sentences analysed."""
    support: Support
    sentences_in_all: int | None = None
    """Number of all sentences; None if all were analysed."""
    reason: str | None = None
    """Why score and label are None."""

    def to_document(self) -> SentimentDocument:
        """Return JSON-compatible values."""
        return {
            "score": self.score,
            "label": self.label,
            "mean_polarity": self.mean_polarity,
            "sentences": self.sentences,
            "support": self.support.to_document(),
            "sentences_in_all": self.sentences_in_all,
            "reason": self.reason,
        }


def sentiment(timeline: Timeline) -> Sentiment:
    """Return ``sentiment_score`` = round(50 + 50 s), s being the duration-weighted mean polarity of the sentences,
    0..100.

    It reflects words only: irony and tone are not detected. Only English sentences are analysed; without any in a
    meeting with words, score and label are None. Under 10 s of speech: 50, Neutral, insufficient; the mean polarity is
    included nevertheless.
    """
    support = compute_support(timeline, DEFINITION_VERSION, 1)
    total = len(timeline.sentences)
    reason = absence_reason(timeline, timeline.full_window, "Sentiment is")
    if reason is not None:
        unsupported = replace(support, sufficient=False, reason=reason)
        return Sentiment(None, None, None, 0, unsupported, sentences_in_all=total, reason=reason)
    polarity = mean_polarity(timeline, timeline.full_window)
    supported_polarity = polarity if support.sufficient else None
    return Sentiment(
        score=sentiment_score(supported_polarity),
        label=sentiment_label(supported_polarity),
        mean_polarity=None if polarity is None else round(polarity, 4),
        sentences=timeline.analysed_sentences,
        support=replace(support, note=analysed_sentences_note(timeline, "Sentiment is")),
        sentences_in_all=total if timeline.analysed_sentences < total else None,
    )


SENTIMENT = Family(
    "sentiment", DEFINITION_VERSION, lambda meeting: sentiment(meeting.timeline).to_document(), quotes=False
)

"""Sentiment of what is said, from words alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from server.insights.support import Support, support_of
from server.insights.timeline import Timeline, Window, weighted_mean

DEFINITION_VERSION = "2"
# VADER's published threshold (Hutto and Gilbert 2014), and the middle of each side.
NEUTRAL_BELOW, STRONG_FROM = 0.05, 0.5


def mean_polarity(line: Timeline, window: Window, speaker: int | None = None) -> float | None:
    """Duration-weighted mean polarity of the sentences in a window, -1..1; None without sentences.

    ``speaker``: of this speaker's sentences alone.
    """
    return weighted_mean(
        (sentence.polarity, weight)
        for sentence, weight in line.sentences_in(window)
        if speaker is None or sentence.speaker == speaker
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


@dataclass(frozen=True, slots=True)
class Sentiment:
    """The sentiment of a meeting."""

    score: int
    label: str
    mean_polarity: float | None
    sentences: int
    support: Support

    def to_document(self) -> dict[str, Any]:
        """A JSON-able form."""
        return asdict(self)


def sentiment(line: Timeline) -> Sentiment:
    """``sentiment_score``: round(50 + 50 times the duration-weighted mean polarity of the sentences), 0..100.

    It is that of the words, in the order of their dictionary senses: irony and tone are not heard.
    Under 10 s of speech: 50, Neutral, insufficient; the mean polarity is shown all the same.
    """
    polarity = mean_polarity(line, line.whole)
    support = support_of(line, DEFINITION_VERSION, 1)
    counted = polarity if support.sufficient else None
    return Sentiment(
        score=sentiment_score(counted),
        label=sentiment_label(counted),
        mean_polarity=None if polarity is None else round(polarity, 4),
        sentences=len(line.sentences),
        support=support,
    )

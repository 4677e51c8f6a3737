"""How the conversation changes over time: sentiment, energy, interaction and emotions of each period."""

from __future__ import annotations

from typing import Any

from server.insights.emotions import listed_emotions
from server.insights.energy import energy_value
from server.insights.english_only import absence
from server.insights.interaction import interaction_value
from server.insights.periods import periods
from server.insights.sentiment import mean_polarity, sentiment_label
from server.insights.timeline import Timeline, Window

DEFINITION_VERSION = "2"


def dynamics(line: Timeline, period_s: int) -> list[dict[str, Any]]:
    """Row 12: one entry a period. Scores as those of the meeting, over the period, as integers.

    ``sentiment`` is None and ``emotions`` empty where what is said cannot be read; ``reason`` says why.
    """
    return [_period(line, window) for window in periods(line.duration_us, period_s)]


def _period(line: Timeline, window: Window) -> dict[str, Any]:
    unread = absence(line, window, "Sentiment and emotions are")
    return {
        "start": window.start_us // 1000,
        "end": window.end_us // 1000,
        "sentiment": None if unread else sentiment_label(mean_polarity(line, window)),
        "energy_score": round(energy_value(line, window)),
        "interactions_score": round(interaction_value(line, window)),
        "emotions": [] if unread else [name.capitalize() for name in listed_emotions(line, window)],
        "reason": unread,
    }

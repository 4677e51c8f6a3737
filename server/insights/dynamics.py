"""How the conversation changes over time: sentiment, energy, interaction and emotions of each period."""

from __future__ import annotations

from typing import Any

from server.insights.emotions import listed_emotions
from server.insights.energy import energy_value
from server.insights.interaction import interaction_value
from server.insights.periods import periods
from server.insights.sentiment import mean_polarity, sentiment_label
from server.insights.timeline import Timeline, Window

DEFINITION_VERSION = "1"


def dynamics(line: Timeline, period_s: int) -> list[dict[str, Any]]:
    """Row 12: one entry a period. Scores as those of the meeting, over the period, as integers."""
    return [_period(line, window) for window in periods(line.duration_us, period_s)]


def _period(line: Timeline, window: Window) -> dict[str, Any]:
    return {
        "start": window.start_us // 1000,
        "end": window.end_us // 1000,
        "sentiment": sentiment_label(mean_polarity(line, window)),
        "energy_score": round(energy_value(line, window)),
        "interactions_score": round(interaction_value(line, window)),
        "emotions": [name.capitalize() for name in listed_emotions(line, window)],
    }

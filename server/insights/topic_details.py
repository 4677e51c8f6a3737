"""Each period in depth: its topic, who speaks, how it feels, and how people interact."""

from __future__ import annotations

from typing import Any

from server.insights.balance import window_evenness
from server.insights.emotions import emotions_score, listed_emotions
from server.insights.energy import energy_value, talking_share
from server.insights.english_only import absence
from server.insights.interaction import interaction_nodes, interaction_value, node_documents
from server.insights.periods import periods
from server.insights.sentiment import mean_polarity, sentiment_label
from server.insights.timeline import Timeline, Window
from server.insights.topics import name_of

DEFINITION_VERSION = "2"


def detail(line: Timeline, window: Window) -> dict[str, Any]:
    """One ``Detail`` of row 6; ``speakers`` are those who speak in the window.

    ``sentiment`` and ``emotions_score`` are None and ``emotions`` empty where what is said cannot be read; ``reason``
    says why.
    """
    unread = absence(line, window, "Sentiment and emotions are")
    talking = round(talking_share(line, window), 4)
    return {
        "topic": name_of(line, window)[0],
        "start": window.start_us // 1000,
        "end": window.end_us // 1000,
        "speakers": [speaker for speaker in line.speakers if line.speaking_us(speaker, window)],
        "sentiment": None if unread else sentiment_label(mean_polarity(line, window)),
        "emotions_score": None if unread else emotions_score(line, window),
        "energy": {
            "energy_score": round(energy_value(line, window)),
            "talking_time": talking,
            "silence_time": round(1 - talking, 4),
            "interactions": {"nodes": node_documents(interaction_nodes(line, window))},
            "emotions": [] if unread else listed_emotions(line, window),
        },
        "interactions_score": round(interaction_value(line, window)),
        "involvement_score": round(100 * window_evenness(line, window)),
        "reason": unread,
    }


def period_details(line: Timeline, period_s: int) -> list[dict[str, Any]]:
    """Row 6: the details of every period."""
    return [detail(line, window) for window in periods(line.duration_us, period_s)]

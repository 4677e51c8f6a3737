"""Dynamics of the conversation: sentiment, energy, interaction and emotions per period."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from server.insights.emotions import listed_emotions
from server.insights.energy import energy_value
from server.insights.family import Family, MeetingFacts
from server.insights.interaction import interaction_value
from server.insights.sentiment import mean_polarity, sentiment_label
from server.insights.timeline import DEFAULT_PERIOD_S, Timeline, Window, absence_reason, periods

DEFINITION_VERSION = "2"


class PeriodDynamics(TypedDict):
    """The scores of one period."""

    start: int
    """Milliseconds, like ``end``."""
    end: int
    sentiment: str | None
    energy_score: int
    interactions_score: int
    emotions: list[str]
    reason: NotRequired[str | None]


class DynamicsDocument(TypedDict):
    """Stored answer of ``GET /single-feature-api/meeting/meeting-dynamics``, for the default period."""

    dynamics: list[PeriodDynamics]


def dynamics(timeline: Timeline, period_s: int) -> list[PeriodDynamics]:
    """Return the meeting's scores for each period of ``period_s`` seconds, as integers.

    Without analysed sentences ``sentiment`` is None, ``emotions`` is empty, and ``reason`` tells why.
    """
    return [_period(timeline, window) for window in periods(timeline.duration_us, period_s)]


def _period(timeline: Timeline, window: Window) -> PeriodDynamics:
    missing_reason = absence_reason(timeline, window, "Sentiment and emotions are")
    return {
        "start": window.start_us // 1000,
        "end": window.end_us // 1000,
        "sentiment": None if missing_reason else sentiment_label(mean_polarity(timeline, window)),
        "energy_score": round(energy_value(timeline, window)),
        "interactions_score": round(interaction_value(timeline, window)),
        "emotions": [] if missing_reason else [name.capitalize() for name in listed_emotions(timeline, window)],
        "reason": missing_reason,
    }


def _document(meeting: MeetingFacts) -> DynamicsDocument:
    return {"dynamics": dynamics(meeting.timeline, DEFAULT_PERIOD_S)}


DYNAMICS = Family("dynamics", DEFINITION_VERSION, _document, quotes=False)

"""Detailed metrics of a topic or period: name, speakers, sentiment, energy, interaction."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from server.insights.balance import window_evenness
from server.insights.emotions import emotions_score, listed_emotions
from server.insights.energy import energy_value, talking_share
from server.insights.family import Family, MeetingFacts
from server.insights.interaction import NodeDocument, interaction_nodes, interaction_value
from server.insights.sentiment import mean_polarity, sentiment_label
from server.insights.timeline import DEFAULT_PERIOD_S, Timeline, Window, absence_reason, periods
from server.insights.topics import name_window

DEFINITION_VERSION = "2"


class NodesDocument(TypedDict):
    """The interaction nodes of a window."""

    nodes: list[NodeDocument]


class WindowEnergy(TypedDict):
    """The energy of a window."""

    energy_score: int
    talking_time: float
    silence_time: float
    interactions: NodesDocument
    emotions: list[str]


class TopicDetail(TypedDict):
    """Detailed metrics of a window."""

    topic: str
    start: int
    """Milliseconds, like ``end``."""
    end: int
    speakers: list[int]
    sentiment: str | None
    emotions_score: int | None
    energy: WindowEnergy
    interactions_score: int
    involvement_score: int
    reason: NotRequired[str | None]


class TopicDetailsDocument(TypedDict):
    """Stored answer of ``GET /single-feature-api/meeting/details-by-topics``, for the default period."""

    topics: list[TopicDetail]


def describe_window(timeline: Timeline, window: Window) -> TopicDetail:
    """Return the detailed metrics of a window; ``speakers`` are those active in it.

    Without analysed sentences ``sentiment`` and ``emotions_score`` are None, ``emotions`` is empty, and ``reason``
    tells why.
    """
    missing_reason = absence_reason(timeline, window, "Sentiment and emotions are")
    talking = round(talking_share(timeline, window), 4)
    return {
        "topic": name_window(timeline, window)[0],
        "start": window.start_us // 1000,
        "end": window.end_us // 1000,
        "speakers": [speaker for speaker in timeline.speakers if timeline.speaking_us(speaker, window)],
        "sentiment": None if missing_reason else sentiment_label(mean_polarity(timeline, window)),
        "emotions_score": None if missing_reason else emotions_score(timeline, window),
        "energy": {
            "energy_score": round(energy_value(timeline, window)),
            "talking_time": talking,
            "silence_time": round(1 - talking, 4),
            "interactions": {"nodes": [node.to_document() for node in interaction_nodes(timeline, window)]},
            "emotions": [] if missing_reason else listed_emotions(timeline, window),
        },
        "interactions_score": round(interaction_value(timeline, window)),
        "involvement_score": round(100 * window_evenness(timeline, window)),
        "reason": missing_reason,
    }


def period_details(timeline: Timeline, period_s: int) -> list[TopicDetail]:
    """Return the detailed metrics of each period of ``period_s`` seconds."""
    return [describe_window(timeline, window) for window in periods(timeline.duration_us, period_s)]


def _document(meeting: MeetingFacts) -> TopicDetailsDocument:
    return {"topics": period_details(meeting.timeline, DEFAULT_PERIOD_S)}


TOPIC_DETAILS = Family("topic_details", DEFINITION_VERSION, _document)

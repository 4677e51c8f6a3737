"""NorthStar: one report on a meeting's quality and its drivers.

It describes a conversation and does not judge people. Individual ratings of a meeting can hardly be predicted from such
measures (Hosseinkashi et al., 2023), which the report states.
"""

from __future__ import annotations

from statistics import fmean
from typing import Literal, NotRequired, TypedDict

from server.insights.audio_quality import AUDIO_QUALITY, AudioQualityDocument
from server.insights.balance import BALANCE
from server.insights.dynamics import DYNAMICS, DynamicsDocument
from server.insights.emotions import MEETING_EMOTIONS, EmotionsDocument
from server.insights.energy import ENERGY
from server.insights.family import Family, MeetingFacts
from server.insights.flow import FlowDocument, flow
from server.insights.interaction import INTERACTION_SCORE, INTERACTIONS, InteractionsDocument
from server.insights.key_points import KEY_POINTS, SUMMARIES, KeyPointsDocument, SummariesDocument
from server.insights.notes import NOTES, NotesDocument
from server.insights.questions import QUESTIONS, QuestionsDocument
from server.insights.score import ScoreDocument
from server.insights.sentiment import SENTIMENT, SentimentDocument
from server.insights.shares import SHARES, SharesDocument
from server.insights.timeline import SupportDocument, absence_reason
from server.insights.topic_details import TopicDetail, describe_window
from server.insights.topics import TOPICS, TopicsDocument, topic_windows
from server.insights.transcript import TRANSCRIPT, LanguageDocument

DEFINITION_VERSION = "2"
NOTE = (
    "It describes the conversation and does not judge people; it cannot predict how participants would rate the "
    "meeting."
)
# Distance from the middle of its range at which a driver noticeably raises or lowers the score.
NOTABLE = 15.0


class Driver(TypedDict):
    """A score or component, with its effect on the quality score."""

    name: str
    score: float
    effect: Literal["raises", "neutral", "lowers"]


class QualityScore(TypedDict):
    """The quality score and its drivers."""

    quality_score: float
    drivers: list[Driver]
    note: str
    support: SupportDocument
    reason: NotRequired[str | None]


class QualityDocument(QualityScore, LanguageDocument):
    """Stored answer of ``GET /single-feature-api/meeting/quality``, including all other layers."""

    flow: FlowDocument
    topic_details: list[TopicDetail]
    """One entry per detected topic."""
    shares: SharesDocument
    interactions: InteractionsDocument
    energy: ScoreDocument
    sentiment: SentimentDocument
    emotions: EmotionsDocument
    dynamics: DynamicsDocument
    topics: TopicsDocument
    key_points: KeyPointsDocument
    summaries: SummariesDocument
    questions: QuestionsDocument
    notes: NotRequired[NotesDocument]
    """Missing from meetings that were analysed by earlier versions."""
    audio_quality: AudioQualityDocument


def quality(meeting: MeetingFacts) -> QualityScore:
    """Return the quality score of a meeting, as ``quality_of_scores`` defines it."""
    return {
        **quality_of_scores(
            meeting.document(BALANCE),
            meeting.document(INTERACTION_SCORE),
            meeting.document(ENERGY),
            meeting.document(SENTIMENT),
        ),
        "reason": absence_reason(meeting.timeline, meeting.timeline.full_window, "Sentiment and emotions are"),
    }


def quality_of_scores(
    balance: ScoreDocument, interaction: ScoreDocument, energy: ScoreDocument, sentiment: SentimentDocument
) -> QualityScore:
    """Return ``quality_score``, 0..100, with its drivers, of the stored scores of a meeting.

    It is the mean of the known ones of balance, interaction, energy and sentiment; ``note`` tells which. Its support is
    that of the balance: both need two speakers. ``reason`` is that of the sentiment, why it is missing.
    """
    scores = {"balance": balance, "interaction": interaction, "energy": energy}
    values = {name: score["score"] for name, score in scores.items()}
    if sentiment["score"] is None:
        method_note = f"The score is the unweighted mean of balance, interaction and energy. {sentiment.get('reason')}"
    else:
        values["sentiment"] = float(sentiment["score"])
        method_note = "The score is the unweighted mean of balance, interaction, energy and sentiment."
    support = balance["support"]
    return {
        "quality_score": round(fmean(values.values()), 2) if support["sufficient"] else 0.0,
        "drivers": [*(_driver(name, value) for name, value in values.items()), *_parts(scores)],
        "note": f"{method_note} {NOTE}",
        "support": {
            **support,
            "definition_version": DEFINITION_VERSION,
            "note": sentiment["support"].get("note"),
        },
        "reason": sentiment.get("reason"),
    }


def _parts(scores: dict[str, ScoreDocument]) -> list[Driver]:
    """Return the components with a weight as drivers."""
    return [
        _driver(f"{name}.{part['name']}", 100 * part["value"])
        for name, score in scores.items()
        for part in score["components"]
        if part["weight"]
    ]


def _driver(name: str, value: float) -> Driver:
    effect: Literal["raises", "neutral", "lowers"] = "neutral"
    if value >= 50 + NOTABLE:
        effect = "raises"
    elif value <= 50 - NOTABLE:
        effect = "lowers"
    return {"name": name, "score": round(value, 2), "effect": effect}


def _report(meeting: MeetingFacts) -> QualityDocument:
    """Gather all layers into one document, so that reading the report takes a single query."""
    transcript = meeting.document(TRANSCRIPT)
    return {
        **quality(meeting),
        "language": transcript["language"],
        "language_confidence": transcript["language_confidence"],
        "flow": flow(meeting),
        "topic_details": [describe_window(meeting.timeline, window) for window in meeting.cached(topic_windows)],
        "shares": meeting.document(SHARES),
        "interactions": meeting.document(INTERACTIONS),
        "energy": meeting.document(ENERGY),
        "sentiment": meeting.document(SENTIMENT),
        "emotions": meeting.document(MEETING_EMOTIONS),
        "dynamics": meeting.document(DYNAMICS),
        "topics": meeting.document(TOPICS),
        "key_points": meeting.document(KEY_POINTS),
        "summaries": meeting.document(SUMMARIES),
        "questions": meeting.document(QUESTIONS),
        "notes": meeting.document(NOTES),
        "audio_quality": meeting.document(AUDIO_QUALITY),
    }


QUALITY = Family("quality", DEFINITION_VERSION, _report)

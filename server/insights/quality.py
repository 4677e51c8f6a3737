"""NorthStar: one report on how the meeting went, with what drives it.

It describes; it does not judge people. How single participants rate a meeting can hardly be
predicted from such figures (Hosseinkashi et al. 2023), and the report says so.
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
from server.insights.questions import QUESTIONS, QuestionsDocument
from server.insights.score import ScoreDocument
from server.insights.sentiment import SENTIMENT, SentimentDocument
from server.insights.shares import SHARES, SharesDocument
from server.insights.timeline import SupportDocument, absence, support_of
from server.insights.topic_details import TopicDetail, detail
from server.insights.topics import TOPICS, TopicsDocument, topic_windows
from server.insights.transcript import TRANSCRIPT, SpokenLanguage

DEFINITION_VERSION = "2"
NOTE = (
    "It describes the conversation and is no judgement of people; how participants would rate a meeting cannot be told "
    "from it."
)
# A driver this far from the middle of its range raises or lowers the score noticeably.
NOTABLE = 15.0


class Driver(TypedDict):
    """A score, or a part of one, and how it pulls at the quality score."""

    name: str
    score: float
    effect: Literal["raises", "neutral", "lowers"]


class Judged(TypedDict):
    """The quality score, and what it is made of."""

    quality_score: float
    drivers: list[Driver]
    note: str
    support: SupportDocument
    reason: NotRequired[str | None]


class QualityDocument(Judged, SpokenLanguage):
    """What ``GET /single-feature-api/meeting/quality`` answers from: the other layers are in it."""

    flow: FlowDocument
    topic_details: list[TopicDetail]
    """Of each topic found."""
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
    audio_quality: AudioQualityDocument


def quality(meeting: MeetingFacts) -> Judged:
    """``quality_score`` 0..100 and ``drivers``.

    The plain mean of those known of balance, interaction, energy and sentiment; ``note`` says which, ``reason`` why
    sentiment and emotions are absent.
    """
    scored = {
        "balance": meeting.document(BALANCE),
        "interaction": meeting.document(INTERACTION_SCORE),
        "energy": meeting.document(ENERGY),
    }
    felt = meeting.document(SENTIMENT)
    values = {name: score["score"] for name, score in scored.items()}
    if felt["score"] is None:
        made = f"The score is the plain mean of balance, interaction and energy. {felt['reason']}"
    else:
        values["sentiment"] = float(felt["score"])
        made = "The score is the plain mean of balance, interaction, energy and sentiment."
    support = support_of(meeting.timeline, DEFINITION_VERSION, 2).to_document()
    return {
        "quality_score": round(fmean(values.values()), 2) if support["sufficient"] else 0.0,
        "drivers": [*(_driver(name, value) for name, value in values.items()), *_parts(scored)],
        "note": f"{made} {NOTE}",
        "support": {**support, "note": felt["support"]["note"]},
        "reason": absence(meeting.timeline, meeting.timeline.whole, "Sentiment and emotions are"),
    }


def _parts(scored: dict[str, ScoreDocument]) -> list[Driver]:
    """The counted parts of the scores."""
    return [
        _driver(f"{name}.{part['name']}", 100 * part["value"])
        for name, score in scored.items()
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
    """The report gathers the layers: it is stored whole, so that reading it is one query as well."""
    told = meeting.document(TRANSCRIPT)
    return {
        **quality(meeting),
        "language": told["language"],
        "language_confidence": told["language_confidence"],
        "flow": flow(meeting),
        "topic_details": [detail(meeting.timeline, window) for window in meeting.once(topic_windows)],
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
        "audio_quality": meeting.document(AUDIO_QUALITY),
    }


QUALITY = Family("quality", DEFINITION_VERSION, _report)

"""Scores and text of a conversation: pure functions, one file per family."""

from server.insights.audio_quality import is_lagging, is_reverberant
from server.insights.balance import balance
from server.insights.dynamics import dynamics
from server.insights.emotions import meeting_emotions
from server.insights.energy import energy, energy_value, talking_share
from server.insights.flow import Interruption, each_interruption, flow, interruptions
from server.insights.interaction import interaction_components, interaction_score, interaction_value
from server.insights.key_points import MAX_SUMMARY_SENTENCES, MAX_WORDS, MIN_WORDS, central_sentences
from server.insights.meeting_answers import Answer, answers
from server.insights.naming import named_speakers
from server.insights.periods import DEFAULT_PERIOD_S, MIN_PERIOD_S, longest_period_s
from server.insights.questions import questions
from server.insights.sentiment import sentiment
from server.insights.shares import shares
from server.insights.timeline import ReadSentence, Timeline, timeline
from server.insights.topic_details import period_details
from server.insights.topics import period_topics, topic_borders

__all__ = [
    "Answer",
    "DEFAULT_PERIOD_S",
    "Interruption",
    "MIN_WORDS",
    "MAX_SUMMARY_SENTENCES",
    "MAX_WORDS",
    "ReadSentence",
    "MIN_PERIOD_S",
    "Timeline",
    "answers",
    "balance",
    "central_sentences",
    "dynamics",
    "each_interruption",
    "energy",
    "energy_value",
    "flow",
    "interaction_components",
    "interaction_score",
    "interaction_value",
    "interruptions",
    "is_lagging",
    "is_reverberant",
    "longest_period_s",
    "meeting_emotions",
    "named_speakers",
    "period_details",
    "period_topics",
    "questions",
    "sentiment",
    "shares",
    "talking_share",
    "timeline",
    "topic_borders",
]

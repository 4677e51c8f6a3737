"""Scores and texts of a conversation: pure functions, one file per family, declared at its end."""

from server.insights.audio_quality import (
    AUDIO_QUALITY,
    FRAGMENTS,
    AudioQualityDocument,
    FragmentQuality,
    SpeakerQuality,
    is_lagging,
    is_reverberant,
)
from server.insights.balance import BALANCE, balance
from server.insights.dynamics import DYNAMICS, PeriodDynamics, dynamics
from server.insights.emotions import EMOTION_CHUNKS, MEETING_EMOTIONS, EmotionsDocument, meeting_emotions
from server.insights.energy import ENERGY, energy, energy_value, talking_share
from server.insights.family import Document, Document_co, Family, MeetingFacts, SummaryTexts
from server.insights.flow import DEFINITION_VERSION as FLOW_VERSION
from server.insights.flow import (
    FlowDocument,
    Interruption,
    flow,
    interruption_between,
    interruptions,
    iterate_interruptions,
)
from server.insights.interaction import (
    INTERACTION_SCORE,
    INTERACTIONS,
    NodeDocument,
    interaction_components,
    interaction_score,
    interaction_value,
)
from server.insights.key_points import (
    KEY_POINTS,
    MAX_SUMMARY_SENTENCES,
    MAX_WORDS,
    MIN_WORDS,
    SUMMARIES,
    central_sentences,
)
from server.insights.meeting_answers import FAMILIES, Answer, compute_answers
from server.insights.quality import QUALITY, Driver, QualityDocument, QualityScore, quality_of_scores
from server.insights.questions import QUESTIONS, Question
from server.insights.score import ScoreDocument
from server.insights.sentiment import SENTIMENT, SentimentDocument, mean_polarity, sentiment, sentiment_score
from server.insights.shares import SHARES, ShareDocument, shares
from server.insights.stored_timeline import TIMELINE
from server.insights.text import find_speaker_names, mentioned_names
from server.insights.timeline import (
    DEFAULT_PERIOD_S,
    MIN_PERIOD_S,
    MINIMUM_SPEECH_S,
    SupportDocument,
    Timeline,
    TimelineDocument,
    TimelineSentence,
    Window,
    build_timeline,
    max_period_s,
)
from server.insights.topic_details import TOPIC_DETAILS, TopicDetail, period_details
from server.insights.topics import TOPICS, Topic, period_topics, topic_borders
from server.insights.transcript import (
    TRANSCRIPT,
    WORDS,
    LanguageDocument,
    SentenceDocument,
    TranscriptDocument,
    WordBasedDocument,
    WordDocument,
    WordsDocument,
    sentence_document,
)

__all__ = [
    "SentenceDocument",
    "WordsDocument",
    "sentence_document",
    "AUDIO_QUALITY",
    "Answer",
    "AudioQualityDocument",
    "BALANCE",
    "DEFAULT_PERIOD_S",
    "DYNAMICS",
    "Document",
    "Document_co",
    "EMOTION_CHUNKS",
    "ENERGY",
    "EmotionsDocument",
    "FAMILIES",
    "FRAGMENTS",
    "Family",
    "FLOW_VERSION",
    "FlowDocument",
    "FragmentQuality",
    "INTERACTIONS",
    "INTERACTION_SCORE",
    "Interruption",
    "KEY_POINTS",
    "MIN_WORDS",
    "MEETING_EMOTIONS",
    "MAX_SUMMARY_SENTENCES",
    "MAX_WORDS",
    "WordBasedDocument",
    "MeetingFacts",
    "NodeDocument",
    "PeriodDynamics",
    "QUALITY",
    "QUESTIONS",
    "QualityDocument",
    "QualityScore",
    "Driver",
    "quality_of_scores",
    "Question",
    "TimelineSentence",
    "SENTIMENT",
    "SHARES",
    "MIN_PERIOD_S",
    "SUMMARIES",
    "ScoreDocument",
    "SentimentDocument",
    "ShareDocument",
    "SpeakerQuality",
    "LanguageDocument",
    "SummaryTexts",
    "SupportDocument",
    "TIMELINE",
    "TOPICS",
    "TOPIC_DETAILS",
    "TRANSCRIPT",
    "Timeline",
    "TimelineDocument",
    "Topic",
    "TopicDetail",
    "TranscriptDocument",
    "WORDS",
    "WordDocument",
    "compute_answers",
    "balance",
    "central_sentences",
    "dynamics",
    "interruption_between",
    "iterate_interruptions",
    "energy",
    "energy_value",
    "flow",
    "interaction_components",
    "interaction_score",
    "interaction_value",
    "interruptions",
    "is_lagging",
    "is_reverberant",
    "max_period_s",
    "meeting_emotions",
    "find_speaker_names",
    "mentioned_names",
    "period_details",
    "period_topics",
    "sentiment",
    "shares",
    "talking_share",
    "build_timeline",
    "topic_borders",
    "MINIMUM_SPEECH_S",
    "Window",
    "mean_polarity",
    "sentiment_score",
]

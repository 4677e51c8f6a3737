"""All stored answers of a finished meeting: the document of each family."""

from __future__ import annotations

from typing import Any, NamedTuple

from server.conversation import Conversation
from server.insights.audio_quality import AUDIO_QUALITY, FRAGMENTS
from server.insights.balance import BALANCE
from server.insights.dynamics import DYNAMICS
from server.insights.emotions import EMOTION_CHUNKS, MEETING_EMOTIONS
from server.insights.energy import ENERGY
from server.insights.family import Family, MeetingFacts, SummaryTexts, WrittenNotes
from server.insights.interaction import INTERACTION_SCORE, INTERACTIONS
from server.insights.key_points import KEY_POINTS, SUMMARIES
from server.insights.notes import NOTES
from server.insights.quality import QUALITY
from server.insights.questions import QUESTIONS
from server.insights.sentiment import SENTIMENT
from server.insights.shares import SHARES
from server.insights.stored_timeline import TIMELINE
from server.insights.topic_details import TOPIC_DETAILS
from server.insights.topics import TOPICS
from server.insights.transcript import TRANSCRIPT, WORDS

FAMILIES: tuple[Family[Any], ...] = (
    BALANCE,
    INTERACTION_SCORE,
    INTERACTIONS,
    SHARES,
    TRANSCRIPT,
    WORDS,
    FRAGMENTS,
    ENERGY,
    SENTIMENT,
    MEETING_EMOTIONS,
    EMOTION_CHUNKS,
    DYNAMICS,
    TOPICS,
    TOPIC_DETAILS,
    KEY_POINTS,
    SUMMARIES,
    QUESTIONS,
    NOTES,
    AUDIO_QUALITY,
    TIMELINE,
    QUALITY,
)


class Answer(NamedTuple):
    """The stored answer of one family."""

    definition_version: str
    document: dict[str, Any]


def compute_answers(
    conversation: Conversation, summaries: SummaryTexts | None = None, notes: WrittenNotes | None = None
) -> dict[str, Answer]:
    """Compute the answers of all families, by family name.

    Args:
        summaries: summaries by a language model. Those of the meeting and of present speakers are used; missing ones
            are extracted.
        notes: the parts of the notes that a language model wrote; the others are extracted.
    """
    meeting = MeetingFacts(conversation, summaries, notes)
    return {family.name: Answer(family.version, meeting.document(family)) for family in FAMILIES}

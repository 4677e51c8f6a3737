"""Everything that is stored of a finished meeting: for each family its definition version and a JSON-able document.

Speakers appear as their numbers within the meeting.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NamedTuple

from server.conversation import Conversation
from server.insights import (
    audio_quality,
    balance,
    dynamics,
    emotions,
    energy,
    flow,
    interaction,
    key_points,
    quality,
    questions,
    sentiment,
    shares,
    timeline,
    topic_details,
    topics,
    transcript,
)
from server.insights.periods import DEFAULT_PERIOD_S


class Answer(NamedTuple):
    """One stored family: a plain pair for whoever stores it."""

    definition_version: str
    document: dict[str, Any]


def answers(conversation: Conversation, written: dict[str, Any] | None = None) -> dict[str, Answer]:
    """Every family of a meeting.

    ``written``: the document of the ``summaries`` family as a language model wrote it; what it
    says of the meeting and of speakers who are still there is kept, the rest is extracted.
    """
    line = timeline.timeline(conversation)
    told = transcript.transcript(conversation)
    summaries = key_points.summaries(conversation)
    if written is not None and written["method"] == "abstractive":
        by_model = dict(written["speakers"])
        summaries = {
            "speakers": [[speaker, by_model.get(speaker) or said] for speaker, said in summaries["speakers"]],
            "meeting": written["meeting"],
            "method": written["method"],
        }
    found = {
        "balance": Answer(balance.DEFINITION_VERSION, balance.balance(line).to_document()),
        "interaction_score": Answer(interaction.DEFINITION_VERSION, interaction.interaction_score(line).to_document()),
        "interactions": Answer(interaction.DEFINITION_VERSION, interaction.interaction_map(line).to_document()),
        "shares": Answer(shares.DEFINITION_VERSION, shares.shares(line).to_document()),
        "transcript": Answer(transcript.DEFINITION_VERSION, told.to_document()),
        # Large and rarely wanted: apart, so that the transcript and the quality are read without them.
        "words": Answer(transcript.DEFINITION_VERSION, {"words": [asdict(word) for word in told.words]}),
        "fragments": Answer(audio_quality.DEFINITION_VERSION, {"fragments": audio_quality.fragments(conversation)}),
        "energy": Answer(energy.DEFINITION_VERSION, energy.energy(line).to_document()),
        "sentiment": Answer(sentiment.DEFINITION_VERSION, sentiment.sentiment(line).to_document()),
        "emotions": Answer(emotions.DEFINITION_VERSION, emotions.meeting_emotions(line).to_document()),
        "emotion_chunks": Answer(
            emotions.DEFINITION_VERSION,
            {"chunks": emotions.emotion_chunks(line), "reason": emotions.chunks_reason(line)},
        ),
        "dynamics": Answer(dynamics.DEFINITION_VERSION, {"dynamics": dynamics.dynamics(line, DEFAULT_PERIOD_S)}),
        "topics": Answer(topics.DEFINITION_VERSION, {"topics": topics.topics(conversation, line)}),
        "topic_details": Answer(
            topic_details.DEFINITION_VERSION, {"topics": topic_details.period_details(line, DEFAULT_PERIOD_S)}
        ),
        "key_points": Answer(
            key_points.DEFINITION_VERSION,
            {"speakers": key_points.key_points(conversation), "reliability": told.reliability},
        ),
        "summaries": Answer(key_points.DEFINITION_VERSION, {**summaries, "reliability": told.reliability}),
        "questions": Answer(
            questions.DEFINITION_VERSION,
            {
                "questions": questions.questions(conversation),
                **asdict(questions.told_by(conversation)),
                "reliability": told.reliability,
            },
        ),
        "audio_quality": Answer(
            audio_quality.DEFINITION_VERSION,
            {
                "speakers": audio_quality.audio_quality(conversation),
                "noise_db": conversation.noise_dbfs,
                "music": [[start // 1000, end // 1000] for start, end in conversation.music],
            },
        ),
        "timeline": Answer(timeline.DEFINITION_VERSION, line.to_document()),
    }
    # The report gathers the layers: it is stored whole, so that reading it is one query as well.
    report = {
        **quality.quality(line),
        "language": told.language,
        "language_confidence": told.language_confidence,
        "flow": flow.flow(conversation, line),
        "topic_details": [topic_details.detail(line, window) for window in topics.topic_windows(conversation)],
        **{
            name: found[name].document
            for name in ("shares", "interactions", "energy", "sentiment", "emotions", "dynamics", "topics")
        },
        **{name: found[name].document for name in ("key_points", "summaries", "questions")},
        "audio_quality": {name: found["audio_quality"].document[name] for name in ("speakers", "noise_db", "music")},
    }
    found["quality"] = Answer(quality.DEFINITION_VERSION, report)
    return found

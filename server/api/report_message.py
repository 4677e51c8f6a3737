"""The NorthStar report as a message: all layers of a meeting in one."""

from __future__ import annotations

from meetra.v1 import insights_pb2 as pb

from server.api import insight_messages as messages
from server.api.answers import AnyAnswer, ReadyAnswer
from server.api.note_messages import notes
from server.insights import FlowDocument, QualityDocument


def report(found: ReadyAnswer[QualityDocument]) -> pb.GetMeetingQualityResponse:
    """Convert the NorthStar report."""
    value = found.value
    return pb.GetMeetingQualityResponse(
        quality_score=value["quality_score"],
        drivers=[pb.QualityDriver(**driver) for driver in value["drivers"]],
        note=value["note"],
        support=messages.support(value["support"]),
        group_dynamics=pb.GroupDynamics(
            speakers=messages.shares(found, value["shares"]["speakers"], detailed=True),
            meeting_energy=value["energy"]["score"],
            sentiment_score=value["sentiment"]["score"],
            meeting_emotions=messages.emotion_shares(value["emotions"]),
            nodes=messages.nodes(found, value["interactions"]["nodes"], detailed=True),
            reason=value.get("reason"),
        ),
        context=pb.MeetingContext(
            text_summary=messages.summary(found, value["summaries"]),
            key_points=messages.texts_by_speaker(found, value["key_points"]["speakers"]),
            questions=messages.questions(found, value["questions"]["questions"]),
            topics=messages.topics(value["topics"]["topics"]),
            notes=notes(found, value["notes"]) if "notes" in value else None,
        ),
        topic_deep_dive=messages.topic_details(found, value["topic_details"]),
        fluctuations=messages.dynamics(value["dynamics"]["dynamics"]),
        flow=_flow(found, value["flow"]),
        audio_quality=messages.audio_quality(found, value["audio_quality"]["speakers"]),
        notice=found.notice or None,
        **messages.language(value),
        **found.reach,
    )


def _flow(found: AnyAnswer, document: FlowDocument) -> pb.ConversationFlow:
    return pb.ConversationFlow(
        silence_ms=document["silence_ms"],
        longest_silence_ms=document["longest_silence_ms"],
        overlap_ratio=document["overlap_ratio"],
        turns_per_minute=document["turns_per_minute"],
        response_latency_ms=document["response_latency_ms"],
        response_latency_p10_ms=document["response_latency_p10_ms"],
        response_latency_p90_ms=document["response_latency_p90_ms"],
        balance_over_time=[pb.BalanceWindow(**window) for window in document["balance_over_time"]],
        speakers=[
            pb.SpeakerFlow(
                speaker=found.speaker_id(part["speaker"]),
                turns=part["turns"],
                longest_monologue_ms=part["longest_monologue_ms"],
                words_per_minute=part["words_per_minute"],
                talk_listen_ratio=part["talk_listen_ratio"],
                patience_ms=part["patience_ms"],
                questions=part["questions"],
                interruptions=part["interruptions"],
                failed_interruptions=part["failed_interruptions"],
            )
            for part in document["speakers"]
        ],
    )

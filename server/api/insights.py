"""InsightsService: stored scores and texts of a finished meeting, mapped to messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from grpc import aio
from meetra.v1 import insights_pb2 as pb
from meetra.v1 import insights_pb2_grpc

from server.api import insight_messages as messages
from server.api.answers import Answers, AnyAnswer
from server.api.note_messages import notes
from server.api.report_message import report
from server.api.validation import validate_period
from server.insights import (
    AUDIO_QUALITY,
    BALANCE,
    DEFAULT_PERIOD_S,
    DYNAMICS,
    EMOTION_CHUNKS,
    ENERGY,
    FRAGMENTS,
    INTERACTION_SCORE,
    INTERACTIONS,
    KEY_POINTS,
    MEETING_EMOTIONS,
    NOTES,
    QUALITY,
    QUESTIONS,
    SENTIMENT,
    SHARES,
    SUMMARIES,
    TIMELINE,
    TOPIC_DETAILS,
    TOPICS,
    TRANSCRIPT,
    WORDS,
    Timeline,
    dynamics,
    period_details,
    period_topics,
)

Context = aio.ServicerContext[Any, Any]
T = TypeVar("T")
PeriodRequest = pb.GetTopicsRequest | pb.GetMeetingDynamicsRequest | pb.GetDetailsByTopicsRequest


class InsightsServicer(insights_pb2_grpc.InsightsServiceServicer):
    """See proto/meetra/v1/insights.proto."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def GetBalanceScore(  # noqa: N802
        self, request: pb.GetBalanceScoreRequest, context: Context
    ) -> pb.GetBalanceScoreResponse:
        """See InsightsService.GetBalanceScore."""
        found = await self._answers.get(request.file_hash, BALANCE, live=request.live)
        details = messages.score_details(found.value) if request.include_details else None
        return pb.GetBalanceScoreResponse(balance_score=found.value["score"], details=details, **found.reach)

    async def GetInteractionScore(  # noqa: N802
        self, request: pb.GetInteractionScoreRequest, context: Context
    ) -> pb.GetInteractionScoreResponse:
        """See InsightsService.GetInteractionScore."""
        found = await self._answers.get(request.file_hash, INTERACTION_SCORE, live=request.live)
        details = messages.score_details(found.value) if request.include_details else None
        return pb.GetInteractionScoreResponse(
            meeting_interaction_score=found.value["score"], details=details, **found.reach
        )

    async def GetMeetingEnergy(  # noqa: N802
        self, request: pb.GetMeetingEnergyRequest, context: Context
    ) -> pb.GetMeetingEnergyResponse:
        """See InsightsService.GetMeetingEnergy."""
        found = await self._answers.get(request.file_hash, ENERGY, live=request.live)
        details = messages.score_details(found.value) if request.include_details else None
        return pb.GetMeetingEnergyResponse(meeting_energy=found.value["score"], details=details, **found.reach)

    async def GetMeetingSentiment(  # noqa: N802
        self, request: pb.GetMeetingSentimentRequest, context: Context
    ) -> pb.GetMeetingSentimentResponse:
        """See InsightsService.GetMeetingSentiment."""
        found = await self._answers.get(request.file_hash, SENTIMENT, live=request.live)
        details = None
        if request.include_details:
            details = messages.sentiment_details(found.value)
        return pb.GetMeetingSentimentResponse(
            sentiment_score=found.value["score"], details=details, reason=found.value.get("reason"), **found.reach
        )

    async def GetMeetingEmotions(  # noqa: N802
        self, request: pb.GetMeetingEmotionsRequest, context: Context
    ) -> pb.GetMeetingEmotionsResponse:
        """See InsightsService.GetMeetingEmotions."""
        found = await self._answers.get(request.file_hash, MEETING_EMOTIONS, live=request.live)
        details = messages.support(found.value["support"]) if request.include_details else None
        shares = messages.emotion_shares(found.value)
        return pb.GetMeetingEmotionsResponse(
            meeting_emotions=shares, details=details, reason=found.value.get("reason"), **found.reach
        )

    async def GetSpeakerEmotionsOverTime(  # noqa: N802
        self, request: pb.GetSpeakerEmotionsOverTimeRequest, context: Context
    ) -> pb.GetSpeakerEmotionsOverTimeResponse:
        """See InsightsService.GetSpeakerEmotionsOverTime."""
        found = await self._answers.get(request.file_hash, EMOTION_CHUNKS, live=request.live)
        chunks = [
            pb.EmotionChunk(
                start_ms=chunk["start_ms"],
                end_ms=chunk["end_ms"],
                emotions={found.speaker_id(label): emotion for label, emotion in chunk["emotions"]},
            )
            for chunk in found.value["chunks"]
        ]
        return pb.GetSpeakerEmotionsOverTimeResponse(chunks=chunks, reason=found.value.get("reason"), **found.reach)

    async def GetInteractions(  # noqa: N802
        self, request: pb.GetInteractionsRequest, context: Context
    ) -> pb.GetInteractionsResponse:
        """See InsightsService.GetInteractions."""
        found = await self._answers.get(request.file_hash, INTERACTIONS, live=request.live)
        nodes = messages.nodes(found, found.value["nodes"], detailed=request.include_details)
        details = messages.support(found.value["support"]) if request.include_details else None
        return pb.GetInteractionsResponse(nodes=nodes, details=details, **found.reach)

    async def GetSpeakersBalance(  # noqa: N802
        self, request: pb.GetSpeakersBalanceRequest, context: Context
    ) -> pb.GetSpeakersBalanceResponse:
        """See InsightsService.GetSpeakersBalance."""
        found = await self._answers.get(request.file_hash, SHARES, live=request.live)
        listed = messages.shares(found, found.value["speakers"], detailed=request.include_details)
        details = messages.support(found.value["support"]) if request.include_details else None
        return pb.GetSpeakersBalanceResponse(speakers=listed, details=details, **found.reach)

    async def GetTranscription(  # noqa: N802
        self, request: pb.GetTranscriptionRequest, context: Context
    ) -> pb.GetTranscriptionResponse:
        """See InsightsService.GetTranscription."""
        found = await self._answers.get(request.file_hash, TRANSCRIPT, live=request.live)
        entries = [
            pb.TranscriptEntry(
                speaker=found.speaker_id(entry["speaker"]),
                transcription=entry["text"],
                start_timestamp=messages.clock(entry["start_ms"]),
            )
            for entry in found.value["entries"]
        ]
        details = None
        if request.include_details:
            words = await self._answers.get(request.file_hash, WORDS, live=request.live)
            details = messages.transcript_details(found, words.value)
        return pb.GetTranscriptionResponse(transcription=entries, details=details, **found.reach)

    async def GetKeyPoints(  # noqa: N802
        self, request: pb.GetKeyPointsRequest, context: Context
    ) -> pb.GetKeyPointsResponse:
        """See InsightsService.GetKeyPoints."""
        found = await self._answers.get(request.file_hash, KEY_POINTS, live=request.live)
        details = messages.reliability(found, "extractive") if request.include_details else None
        points = messages.texts_by_speaker(found, found.value["speakers"])
        return pb.GetKeyPointsResponse(key_points=points, details=details, **found.reach)

    async def GetTextSummaries(  # noqa: N802
        self, request: pb.GetTextSummariesRequest, context: Context
    ) -> pb.GetTextSummariesResponse:
        """See InsightsService.GetTextSummaries."""
        found = await self._answers.get(request.file_hash, SUMMARIES, live=request.live)
        details = messages.reliability(found, found.value["method"]) if request.include_details else None
        return pb.GetTextSummariesResponse(
            text_summary=messages.summary(found, found.value), details=details, **found.reach
        )

    async def GetQuestions(  # noqa: N802
        self, request: pb.GetQuestionsRequest, context: Context
    ) -> pb.GetQuestionsResponse:
        """See InsightsService.GetQuestions."""
        found = await self._answers.get(request.file_hash, QUESTIONS, live=request.live)
        # Earlier versions did not store the method: it was always rules.
        method = found.value.get("method", "rules")
        details = messages.reliability(found, method) if request.include_details else None
        asked = messages.questions(found, found.value["questions"])
        return pb.GetQuestionsResponse(
            questions=asked, details=details, reason=found.value.get("reason"), **found.reach
        )

    async def GetMeetingNotes(  # noqa: N802
        self, request: pb.GetMeetingNotesRequest, context: Context
    ) -> pb.GetMeetingNotesResponse:
        """See InsightsService.GetMeetingNotes."""
        found = await self._answers.get(request.file_hash, NOTES, live=request.live)
        details = None
        if request.include_details:
            details = messages.reliability(found, found.value["methods"]["summary"])
        return pb.GetMeetingNotesResponse(notes=notes(found, found.value), details=details, **found.reach)

    async def GetTopics(  # noqa: N802
        self, request: pb.GetTopicsRequest, context: Context
    ) -> pb.GetTopicsResponse:
        """See InsightsService.GetTopics."""
        if request.HasField("period_seconds"):
            found, listed = await self._compute_for_period(request, period_topics)
            return pb.GetTopicsResponse(topics=messages.topics(listed), **found.reach)
        stored = await self._answers.get(request.file_hash, TOPICS, live=request.live)
        return pb.GetTopicsResponse(topics=messages.topics(stored.value["topics"]), **stored.reach)

    async def GetMeetingDynamics(  # noqa: N802
        self, request: pb.GetMeetingDynamicsRequest, context: Context
    ) -> pb.GetMeetingDynamicsResponse:
        """See InsightsService.GetMeetingDynamics."""
        if request.HasField("period_seconds") and request.period_seconds != DEFAULT_PERIOD_S:
            found, listed = await self._compute_for_period(request, dynamics)
            return pb.GetMeetingDynamicsResponse(dynamics=messages.dynamics(listed), **found.reach)
        stored = await self._answers.get(request.file_hash, DYNAMICS, live=request.live)
        return pb.GetMeetingDynamicsResponse(dynamics=messages.dynamics(stored.value["dynamics"]), **stored.reach)

    async def GetDetailsByTopics(  # noqa: N802
        self, request: pb.GetDetailsByTopicsRequest, context: Context
    ) -> pb.GetDetailsByTopicsResponse:
        """See InsightsService.GetDetailsByTopics."""
        if request.HasField("period_seconds") and request.period_seconds != DEFAULT_PERIOD_S:
            found, listed = await self._compute_for_period(request, period_details)
            return pb.GetDetailsByTopicsResponse(topics=messages.topic_details(found, listed), **found.reach)
        stored = await self._answers.get(request.file_hash, TOPIC_DETAILS, live=request.live)
        return pb.GetDetailsByTopicsResponse(
            topics=messages.topic_details(stored, stored.value["topics"]), **stored.reach
        )

    async def GetSpeakersAudioQuality(  # noqa: N802
        self, request: pb.GetSpeakersAudioQualityRequest, context: Context
    ) -> pb.GetSpeakersAudioQualityResponse:
        """See InsightsService.GetSpeakersAudioQuality."""
        found = await self._answers.get(request.file_hash, AUDIO_QUALITY, live=request.live)
        details = None
        if request.include_details:
            fragments = await self._answers.get(request.file_hash, FRAGMENTS, live=request.live)
            details = messages.audio_details(found, fragments.value["fragments"])
        speakers = messages.audio_quality(found, found.value["speakers"])
        return pb.GetSpeakersAudioQualityResponse(speakers=speakers, details=details, **found.reach)

    async def GetMeetingQuality(  # noqa: N802
        self, request: pb.GetMeetingQualityRequest, context: Context
    ) -> pb.GetMeetingQualityResponse:
        """See InsightsService.GetMeetingQuality."""
        return report(await self._answers.get(request.file_hash, QUALITY, live=request.live))

    async def _compute_for_period(
        self, request: PeriodRequest, compute: Callable[[Timeline, int], list[T]]
    ) -> tuple[AnyAnswer, list[T]]:
        """Compute an answer for a period that is not stored, from the timeline. Raises BadRequest."""
        found = await self._answers.get(request.file_hash, TIMELINE, live=request.live)
        wanted = validate_period(request.period_seconds, found.duration_ms)
        # May take a moment for a long meeting: off the event loop.
        listed = await asyncio.to_thread(lambda: compute(Timeline.from_document(found.value), wanted))
        return found, listed

"""InsightsService: stored scores and text of a finished meeting, mapped to the documented answers."""

from __future__ import annotations

from typing import Any

from grpc import aio
from meetra.v1 import insights_pb2, insights_pb2_grpc

from server.api.answers import Answers, ReadyAnswer

UNRELIABLE_ADVICE = (
    "The built-in recogniser is weak on far, noisy or overlapping speech: read this text as a hint, not a record. "
    "docs/models.md says how to use a stronger recogniser."
)


class InsightsServicer(insights_pb2_grpc.InsightsServiceServicer):
    """See proto/meetra/v1/insights.proto."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def GetBalanceScore(  # noqa: N802
        self, request: insights_pb2.GetBalanceScoreRequest, context: aio.ServicerContext[Any, Any]
    ) -> insights_pb2.GetBalanceScoreResponse:
        found = await self._answers.of(request.file_hash, "balance")
        details = _score_details(found.value) if request.include_details else None
        return insights_pb2.GetBalanceScoreResponse(balance_score=found.value["score"], details=details)

    async def GetInteractionScore(  # noqa: N802
        self, request: insights_pb2.GetInteractionScoreRequest, context: aio.ServicerContext[Any, Any]
    ) -> insights_pb2.GetInteractionScoreResponse:
        found = await self._answers.of(request.file_hash, "interaction_score")
        details = _score_details(found.value) if request.include_details else None
        return insights_pb2.GetInteractionScoreResponse(meeting_interaction_score=found.value["score"], details=details)

    async def GetInteractions(  # noqa: N802
        self, request: insights_pb2.GetInteractionsRequest, context: aio.ServicerContext[Any, Any]
    ) -> insights_pb2.GetInteractionsResponse:
        found = await self._answers.of(request.file_hash, "interactions")
        detailed = request.include_details
        nodes = [
            insights_pb2.InteractionNode(
                between=[found.speaker_id(label) for label in node["between"]],
                value=node["value"],
                exchanges=node["exchanges"] if detailed else None,
            )
            for node in found.value["nodes"]
        ]
        details = _support(found.value["support"]) if detailed else None
        return insights_pb2.GetInteractionsResponse(nodes=nodes, details=details)

    async def GetSpeakersBalance(  # noqa: N802
        self, request: insights_pb2.GetSpeakersBalanceRequest, context: aio.ServicerContext[Any, Any]
    ) -> insights_pb2.GetSpeakersBalanceResponse:
        found = await self._answers.of(request.file_hash, "shares")
        detailed = request.include_details
        listed = [
            insights_pb2.SpeakerShare(
                meeting_speaking_percentage=share["percentage"],
                id=found.speaker_id(share["label"]),
                speaking_ms=share["speaking_ms"] if detailed else None,
            )
            for share in found.value["speakers"]
        ]
        details = _support(found.value["support"]) if detailed else None
        return insights_pb2.GetSpeakersBalanceResponse(speakers=listed, details=details)

    async def GetTranscription(  # noqa: N802
        self, request: insights_pb2.GetTranscriptionRequest, context: aio.ServicerContext[Any, Any]
    ) -> insights_pb2.GetTranscriptionResponse:
        found = await self._answers.of(request.file_hash, "transcript")
        entries = [
            insights_pb2.TranscriptEntry(
                speaker=found.speaker_id(entry["speaker"]),
                transcription=entry["text"],
                start_timestamp=clock(entry["start_ms"]),
            )
            for entry in found.value["entries"]
        ]
        details = _transcript_details(found) if request.include_details else None
        return insights_pb2.GetTranscriptionResponse(transcription=entries, details=details)


def clock(milliseconds: int) -> str:
    """``HH:MM:SS`` of a time from the start of the meeting, in milliseconds; fractions are cut off."""
    seconds = milliseconds // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _support(support: dict[str, Any]) -> insights_pb2.ScoreSupport:
    return insights_pb2.ScoreSupport(**support)


def _score_details(value: dict[str, Any]) -> insights_pb2.ScoreDetails:
    components = [insights_pb2.ScoreComponent(**component) for component in value["components"]]
    return insights_pb2.ScoreDetails(components=components, support=_support(value["support"]))


def _transcript_details(found: ReadyAnswer) -> insights_pb2.TranscriptDetails:
    value, engine = found.value, found.engine
    return insights_pb2.TranscriptDetails(
        mean_word_confidence=value["mean_word_confidence"],
        reliable=value["reliable"],
        threshold=value["threshold"],
        advice="" if value["reliable"] else UNRELIABLE_ADVICE,
        words=[
            insights_pb2.TranscriptWord(**{**word, "speaker": found.speaker_id(word["speaker"])})
            for word in value["words"]
        ],
        engine=insights_pb2.EngineCapabilities(
            models=engine.get("models", ()),
            overlap=engine.get("overlap", False),
            languages=engine.get("languages", ()),
            max_speakers=engine.get("max_speakers", 0),
        ),
    )

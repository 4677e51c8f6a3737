"""All answers of a finished meeting, fetched through the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict
from meetra.v1 import insights_pb2 as pb
from meetra.v1 import insights_pb2_grpc, speakers_pb2, speakers_pb2_grpc

from cli.client import Client
from cli.terminal_text import escape_message


@dataclass(frozen=True, slots=True)
class MeetingAnswers:
    """All answers of a meeting, with details where available."""

    speakers: speakers_pb2.ListSpeakersResponse
    quality: pb.GetMeetingQualityResponse
    balance: pb.GetBalanceScoreResponse
    shares: pb.GetSpeakersBalanceResponse
    interaction: pb.GetInteractionScoreResponse
    pairs: pb.GetInteractionsResponse
    energy: pb.GetMeetingEnergyResponse
    sentiment: pb.GetMeetingSentimentResponse
    emotions: pb.GetMeetingEmotionsResponse
    emotions_over_time: pb.GetSpeakerEmotionsOverTimeResponse
    dynamics: pb.GetMeetingDynamicsResponse
    topics: pb.GetTopicsResponse
    details_by_topics: pb.GetDetailsByTopicsResponse
    summaries: pb.GetTextSummariesResponse
    key_points: pb.GetKeyPointsResponse
    questions: pb.GetQuestionsResponse
    audio_quality: pb.GetSpeakersAudioQualityResponse
    transcript: pb.GetTranscriptionResponse

    def escaped(self) -> MeetingAnswers:
        """Return the answers with all texts safe to print on a terminal."""
        return MeetingAnswers(**{name: escape_message(getattr(self, name)) for name in self.__slots__})

    def to_document(self) -> dict[str, Any]:
        """Return JSON-compatible values: one key per answer, as REST returns it with ``include_details``."""
        return {
            name: MessageToDict(getattr(self, name), always_print_fields_with_no_presence=True)
            for name in self.__slots__
        }


async def fetch(client: Client, file_hash: str) -> MeetingAnswers:
    """Fetch all answers of a finished meeting. Raises CallFailed."""
    speakers = speakers_pb2_grpc.SpeakerServiceStub(client.channel)
    insights = insights_pb2_grpc.InsightsServiceStub(client.channel)

    async def plain(method: Any, request: Any) -> Any:
        return await client.call(method, request(file_hash=file_hash))

    async def detailed(method: Any, request: Any) -> Any:
        return await client.call(method, request(file_hash=file_hash, include_details=True))

    return MeetingAnswers(
        speakers=await detailed(speakers.ListSpeakers, speakers_pb2.ListSpeakersRequest),
        quality=await plain(insights.GetMeetingQuality, pb.GetMeetingQualityRequest),
        balance=await detailed(insights.GetBalanceScore, pb.GetBalanceScoreRequest),
        shares=await detailed(insights.GetSpeakersBalance, pb.GetSpeakersBalanceRequest),
        interaction=await detailed(insights.GetInteractionScore, pb.GetInteractionScoreRequest),
        pairs=await detailed(insights.GetInteractions, pb.GetInteractionsRequest),
        energy=await detailed(insights.GetMeetingEnergy, pb.GetMeetingEnergyRequest),
        sentiment=await detailed(insights.GetMeetingSentiment, pb.GetMeetingSentimentRequest),
        emotions=await detailed(insights.GetMeetingEmotions, pb.GetMeetingEmotionsRequest),
        emotions_over_time=await plain(insights.GetSpeakerEmotionsOverTime, pb.GetSpeakerEmotionsOverTimeRequest),
        dynamics=await plain(insights.GetMeetingDynamics, pb.GetMeetingDynamicsRequest),
        topics=await plain(insights.GetTopics, pb.GetTopicsRequest),
        details_by_topics=await plain(insights.GetDetailsByTopics, pb.GetDetailsByTopicsRequest),
        summaries=await detailed(insights.GetTextSummaries, pb.GetTextSummariesRequest),
        key_points=await detailed(insights.GetKeyPoints, pb.GetKeyPointsRequest),
        questions=await detailed(insights.GetQuestions, pb.GetQuestionsRequest),
        audio_quality=await detailed(insights.GetSpeakersAudioQuality, pb.GetSpeakersAudioQualityRequest),
        transcript=await detailed(insights.GetTranscription, pb.GetTranscriptionRequest),
    )

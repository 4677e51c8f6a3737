"""All answers of a finished meeting, fetched through the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict
from meetra.v1 import insights_pb2 as pb
from meetra.v1 import speakers_pb2

from cli.terminal_text import escape_message
from meetra_client import MeetraClient


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


async def fetch(client: MeetraClient, file_hash: str) -> MeetingAnswers:
    """Fetch all answers of a finished meeting. Raises MeetraError."""
    ask = client.insights
    return MeetingAnswers(
        speakers=await client.speakers(file_hash, details=True),
        quality=await ask.quality(file_hash),
        balance=await ask.balance(file_hash, details=True),
        shares=await ask.speaking_shares(file_hash, details=True),
        interaction=await ask.interaction(file_hash, details=True),
        pairs=await ask.interactions(file_hash, details=True),
        energy=await ask.energy(file_hash, details=True),
        sentiment=await ask.sentiment(file_hash, details=True),
        emotions=await ask.emotions(file_hash, details=True),
        emotions_over_time=await ask.emotions_over_time(file_hash),
        dynamics=await ask.dynamics(file_hash),
        topics=await ask.topics(file_hash),
        details_by_topics=await ask.topic_details(file_hash),
        summaries=await ask.summaries(file_hash, details=True),
        key_points=await ask.key_points(file_hash, details=True),
        questions=await ask.questions(file_hash, details=True),
        audio_quality=await ask.audio_quality(file_hash, details=True),
        transcript=await client.transcript(file_hash, details=True),
    )

"""The answers of a finished meeting, one method each; the messages are those of insights.proto."""

from __future__ import annotations

from grpc import aio
from meetra.v1 import insights_pb2 as pb
from meetra.v1 import insights_pb2_grpc


class InsightCalls:
    """The answers of a finished meeting: ``MeetraClient.insights``.

    ``file_hash`` names the meeting. ``details`` adds what the number was made of, engine and reliability included.
    Answers over time take ``period_seconds``, the length of a period; None: 300.

    Every method raises MeetingStillProcessing, MeetingFailed, MeetingNotFound, Unreachable, or another MeetraError;
    TranscriptDeleted where the answer quotes what was said.
    """

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = insights_pb2_grpc.InsightsServiceStub(channel)

    async def transcript(self, file_hash: str, *, details: bool = False) -> pb.GetTranscriptionResponse:
        """Return who said what, and when."""
        return await self._stub.GetTranscription(
            pb.GetTranscriptionRequest(file_hash=file_hash, include_details=details)
        )

    async def balance(self, file_hash: str, *, details: bool = False) -> pb.GetBalanceScoreResponse:
        """Return how evenly the speaking time is shared."""
        return await self._stub.GetBalanceScore(pb.GetBalanceScoreRequest(file_hash=file_hash, include_details=details))

    async def speaking_shares(self, file_hash: str, *, details: bool = False) -> pb.GetSpeakersBalanceResponse:
        """Return each speaker's share of the speaking time."""
        return await self._stub.GetSpeakersBalance(
            pb.GetSpeakersBalanceRequest(file_hash=file_hash, include_details=details)
        )

    async def interaction(self, file_hash: str, *, details: bool = False) -> pb.GetInteractionScoreResponse:
        """Return how much the participants interact."""
        return await self._stub.GetInteractionScore(
            pb.GetInteractionScoreRequest(file_hash=file_hash, include_details=details)
        )

    async def interactions(self, file_hash: str, *, details: bool = False) -> pb.GetInteractionsResponse:
        """Return how strongly each pair of speakers interacts."""
        return await self._stub.GetInteractions(pb.GetInteractionsRequest(file_hash=file_hash, include_details=details))

    async def energy(self, file_hash: str, *, details: bool = False) -> pb.GetMeetingEnergyResponse:
        """Return how energetic the conversation is."""
        return await self._stub.GetMeetingEnergy(
            pb.GetMeetingEnergyRequest(file_hash=file_hash, include_details=details)
        )

    async def sentiment(self, file_hash: str, *, details: bool = False) -> pb.GetMeetingSentimentResponse:
        """Return how positive the words of the meeting are."""
        return await self._stub.GetMeetingSentiment(
            pb.GetMeetingSentimentRequest(file_hash=file_hash, include_details=details)
        )

    async def emotions(self, file_hash: str, *, details: bool = False) -> pb.GetMeetingEmotionsResponse:
        """Return the emotions that the words of the meeting express."""
        return await self._stub.GetMeetingEmotions(
            pb.GetMeetingEmotionsRequest(file_hash=file_hash, include_details=details)
        )

    async def emotions_over_time(self, file_hash: str) -> pb.GetSpeakerEmotionsOverTimeResponse:
        """Return the strongest emotion of each speaker in each minute."""
        return await self._stub.GetSpeakerEmotionsOverTime(pb.GetSpeakerEmotionsOverTimeRequest(file_hash=file_hash))

    async def dynamics(self, file_hash: str, *, period_seconds: int | None = None) -> pb.GetMeetingDynamicsResponse:
        """Return sentiment, energy, interactions and emotions of each period."""
        return await self._stub.GetMeetingDynamics(
            pb.GetMeetingDynamicsRequest(file_hash=file_hash, period_seconds=period_seconds)
        )

    async def topics(self, file_hash: str, *, period_seconds: int | None = None) -> pb.GetTopicsResponse:
        """Return the topics found; with ``period_seconds`` the topic of each period."""
        return await self._stub.GetTopics(pb.GetTopicsRequest(file_hash=file_hash, period_seconds=period_seconds))

    async def topic_details(
        self, file_hash: str, *, period_seconds: int | None = None
    ) -> pb.GetDetailsByTopicsResponse:
        """Return each period in depth: topic, speakers, sentiment, emotions, energy, interactions."""
        return await self._stub.GetDetailsByTopics(
            pb.GetDetailsByTopicsRequest(file_hash=file_hash, period_seconds=period_seconds)
        )

    async def summaries(self, file_hash: str, *, details: bool = False) -> pb.GetTextSummariesResponse:
        """Return a summary of the meeting and one of each speaker."""
        return await self._stub.GetTextSummaries(
            pb.GetTextSummariesRequest(file_hash=file_hash, include_details=details)
        )

    async def key_points(self, file_hash: str, *, details: bool = False) -> pb.GetKeyPointsResponse:
        """Return the most representative sentences of each speaker."""
        return await self._stub.GetKeyPoints(pb.GetKeyPointsRequest(file_hash=file_hash, include_details=details))

    async def questions(self, file_hash: str, *, details: bool = False) -> pb.GetQuestionsResponse:
        """Return the questions that were asked."""
        return await self._stub.GetQuestions(pb.GetQuestionsRequest(file_hash=file_hash, include_details=details))

    async def audio_quality(self, file_hash: str, *, details: bool = False) -> pb.GetSpeakersAudioQualityResponse:
        """Return the audio quality of each speaker."""
        return await self._stub.GetSpeakersAudioQuality(
            pb.GetSpeakersAudioQualityRequest(file_hash=file_hash, include_details=details)
        )

    async def quality(self, file_hash: str) -> pb.GetMeetingQualityResponse:
        """Return NorthStar, one report on the meeting with the drivers of its score."""
        return await self._stub.GetMeetingQuality(pb.GetMeetingQualityRequest(file_hash=file_hash))

"""The answers of a meeting, one method each; the messages are those of insights.proto."""

from __future__ import annotations

from grpc import aio
from meetra.v1 import insights_pb2 as pb
from meetra.v1 import insights_pb2_grpc


class InsightCalls:
    """The answers of a meeting: ``MeetraClient.insights``.

    ``file_hash`` names the meeting. ``details`` adds what the number was made of, engine and reliability included. With
    ``live`` a live meeting that runs answers too, from what is known so far: then ``live`` of the answer is true, and
    ``through_ms`` and ``words_final_through_ms`` say how far that is.
    Answers over time take ``period_seconds``, the length of a period; None: 300.

    Every method raises MeetingStillProcessing, MeetingFailed, MeetingNotFound, Unreachable, or another MeetraError;
    TranscriptDeleted where the answer quotes what was said.
    """

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = insights_pb2_grpc.InsightsServiceStub(channel)

    async def transcript(
        self, file_hash: str, *, details: bool = False, live: bool = False
    ) -> pb.GetTranscriptionResponse:
        """Return who said what, and when."""
        return await self._stub.GetTranscription(
            pb.GetTranscriptionRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def balance(self, file_hash: str, *, details: bool = False, live: bool = False) -> pb.GetBalanceScoreResponse:
        """Return how evenly the speaking time is shared."""
        return await self._stub.GetBalanceScore(
            pb.GetBalanceScoreRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def speaking_shares(
        self, file_hash: str, *, details: bool = False, live: bool = False
    ) -> pb.GetSpeakersBalanceResponse:
        """Return each speaker's share of the speaking time."""
        return await self._stub.GetSpeakersBalance(
            pb.GetSpeakersBalanceRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def interaction(
        self, file_hash: str, *, details: bool = False, live: bool = False
    ) -> pb.GetInteractionScoreResponse:
        """Return how much the participants interact."""
        return await self._stub.GetInteractionScore(
            pb.GetInteractionScoreRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def interactions(
        self, file_hash: str, *, details: bool = False, live: bool = False
    ) -> pb.GetInteractionsResponse:
        """Return how strongly each pair of speakers interacts."""
        return await self._stub.GetInteractions(
            pb.GetInteractionsRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def energy(self, file_hash: str, *, details: bool = False, live: bool = False) -> pb.GetMeetingEnergyResponse:
        """Return how energetic the conversation is."""
        return await self._stub.GetMeetingEnergy(
            pb.GetMeetingEnergyRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def sentiment(
        self, file_hash: str, *, details: bool = False, live: bool = False
    ) -> pb.GetMeetingSentimentResponse:
        """Return how positive the words of the meeting are."""
        return await self._stub.GetMeetingSentiment(
            pb.GetMeetingSentimentRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def emotions(
        self, file_hash: str, *, details: bool = False, live: bool = False
    ) -> pb.GetMeetingEmotionsResponse:
        """Return the emotions that the words of the meeting express."""
        return await self._stub.GetMeetingEmotions(
            pb.GetMeetingEmotionsRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def emotions_over_time(self, file_hash: str, *, live: bool = False) -> pb.GetSpeakerEmotionsOverTimeResponse:
        """Return the strongest emotion of each speaker in each minute."""
        return await self._stub.GetSpeakerEmotionsOverTime(
            pb.GetSpeakerEmotionsOverTimeRequest(file_hash=file_hash, live=live)
        )

    async def dynamics(
        self, file_hash: str, *, period_seconds: int | None = None, live: bool = False
    ) -> pb.GetMeetingDynamicsResponse:
        """Return sentiment, energy, interactions and emotions of each period."""
        return await self._stub.GetMeetingDynamics(
            pb.GetMeetingDynamicsRequest(file_hash=file_hash, period_seconds=period_seconds, live=live)
        )

    async def topics(
        self, file_hash: str, *, period_seconds: int | None = None, live: bool = False
    ) -> pb.GetTopicsResponse:
        """Return the topics found; with ``period_seconds`` the topic of each period."""
        return await self._stub.GetTopics(
            pb.GetTopicsRequest(file_hash=file_hash, period_seconds=period_seconds, live=live)
        )

    async def topic_details(
        self, file_hash: str, *, period_seconds: int | None = None, live: bool = False
    ) -> pb.GetDetailsByTopicsResponse:
        """Return each period in depth: topic, speakers, sentiment, emotions, energy, interactions."""
        return await self._stub.GetDetailsByTopics(
            pb.GetDetailsByTopicsRequest(file_hash=file_hash, period_seconds=period_seconds, live=live)
        )

    async def summaries(
        self, file_hash: str, *, details: bool = False, live: bool = False
    ) -> pb.GetTextSummariesResponse:
        """Return a summary of the meeting and one of each speaker."""
        return await self._stub.GetTextSummaries(
            pb.GetTextSummariesRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def notes(self, file_hash: str, *, details: bool = False, live: bool = False) -> pb.GetMeetingNotesResponse:
        """Return summary, chapters, action items and decisions, each line with the sentences that it rests on."""
        return await self._stub.GetMeetingNotes(
            pb.GetMeetingNotesRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def key_points(self, file_hash: str, *, details: bool = False, live: bool = False) -> pb.GetKeyPointsResponse:
        """Return the most representative sentences of each speaker."""
        return await self._stub.GetKeyPoints(
            pb.GetKeyPointsRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def questions(self, file_hash: str, *, details: bool = False, live: bool = False) -> pb.GetQuestionsResponse:
        """Return the questions that were asked."""
        return await self._stub.GetQuestions(
            pb.GetQuestionsRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def audio_quality(
        self, file_hash: str, *, details: bool = False, live: bool = False
    ) -> pb.GetSpeakersAudioQualityResponse:
        """Return the audio quality of each speaker."""
        return await self._stub.GetSpeakersAudioQuality(
            pb.GetSpeakersAudioQualityRequest(file_hash=file_hash, include_details=details, live=live)
        )

    async def quality(self, file_hash: str, *, live: bool = False) -> pb.GetMeetingQualityResponse:
        """Return NorthStar, one report on the meeting with the drivers of its score."""
        return await self._stub.GetMeetingQuality(pb.GetMeetingQualityRequest(file_hash=file_hash, live=live))

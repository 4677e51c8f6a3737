"""SpeakerService: the people heard in a meeting."""

from __future__ import annotations

from typing import Any

from grpc import aio
from meetra.v1 import speakers_pb2, speakers_pb2_grpc

from server.api.answers import Answers


class SpeakerServicer(speakers_pb2_grpc.SpeakerServiceServicer):
    """See proto/meetra/v1/speakers.proto."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def ListSpeakers(  # noqa: N802
        self, request: speakers_pb2.ListSpeakersRequest, context: aio.ServicerContext[Any, Any]
    ) -> speakers_pb2.ListSpeakersResponse:
        if request.HasField("file_hash"):
            found = await self._answers.of(request.file_hash, "shares")
        else:
            found = await self._answers.of_latest("shares")
        listed = [speakers_pb2.Speaker(alias=speaker.alias, id=str(speaker.id)) for speaker in found.speakers]
        return speakers_pb2.ListSpeakersResponse(speakers=listed)

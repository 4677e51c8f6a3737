"""SpeakerService: the speakers of a meeting, and their manual correction."""

from __future__ import annotations

from typing import Any

from grpc import aio
from meetra.v1 import speakers_pb2 as pb
from meetra.v1 import speakers_pb2_grpc

from server.api.answers import Answers
from server.api.speaker_messages import speaker_messages
from server.api.validation import parse_uuid, validate_alias, validate_file_hash, validate_span
from server.auth import current_caller
from server.insights import SHARES
from server.meetings import Corrections

Context = aio.ServicerContext[Any, Any]


class SpeakerServicer(speakers_pb2_grpc.SpeakerServiceServicer):
    """See proto/meetra/v1/speakers.proto."""

    def __init__(self, answers: Answers, corrections: Corrections) -> None:
        self._answers = answers
        self._corrections = corrections

    async def ListSpeakers(  # noqa: N802
        self, request: pb.ListSpeakersRequest, context: Context
    ) -> pb.ListSpeakersResponse:
        """See SpeakerService.ListSpeakers."""
        if request.HasField("file_hash"):
            found = await self._answers.get(request.file_hash, SHARES, live=request.live)
        else:
            found = await self._answers.latest(SHARES, live=request.live)
        listed = speaker_messages(found.speakers, detailed=request.include_details)
        return pb.ListSpeakersResponse(speakers=listed, **found.reach)

    async def RenameSpeaker(  # noqa: N802
        self, request: pb.RenameSpeakerRequest, context: Context
    ) -> pb.RenameSpeakerResponse:
        """See SpeakerService.RenameSpeaker."""
        id_, alias = parse_uuid("id", request.id), validate_alias(request.name.alias)
        file_hash = validate_file_hash(request.file_hash) if request.HasField("file_hash") else None
        alias = await self._corrections.rename(current_caller(), id_, alias, file_hash)
        return pb.RenameSpeakerResponse(alias=alias, id=str(id_))

    async def MergeSpeakers(  # noqa: N802
        self, request: pb.MergeSpeakersRequest, context: Context
    ) -> pb.MergeSpeakersResponse:
        """See SpeakerService.MergeSpeakers."""
        id_, into = parse_uuid("id", request.id), parse_uuid("into", request.into)
        return pb.MergeSpeakersResponse(
            speakers=speaker_messages(await self._corrections.merge(current_caller(), id_, into))
        )

    async def SplitSpeaker(  # noqa: N802
        self, request: pb.SplitSpeakerRequest, context: Context
    ) -> pb.SplitSpeakerResponse:
        """See SpeakerService.SplitSpeaker."""
        id_ = parse_uuid("id", request.id)
        start, end = validate_span(request.start, request.end)
        speakers, new_id = await self._corrections.split(current_caller(), id_, start, end)
        return pb.SplitSpeakerResponse(speakers=speaker_messages(speakers), new_id=str(new_id))

    async def UndoSpeakerEdit(  # noqa: N802
        self, request: pb.UndoSpeakerEditRequest, context: Context
    ) -> pb.UndoSpeakerEditResponse:
        """See SpeakerService.UndoSpeakerEdit."""
        file_hash = validate_file_hash(request.file_hash)
        number = request.number if request.HasField("number") else None
        return pb.UndoSpeakerEditResponse(
            speakers=speaker_messages(await self._corrections.undo(current_caller(), file_hash, number))
        )

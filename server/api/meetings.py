"""MeetingService: recordings in, and how far their analysis has come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from grpc import aio
from meetra.v1 import meetings_pb2, meetings_pb2_grpc

from server.api.validation import checked_file_hash
from server.auth import current_caller
from server.errors import MeetingNotFound
from server.meetings.upload import UploadPiece, Uploads
from server.storage import meetings
from server.storage.pool import Database


async def _pieces(requests: AsyncIterator[meetings_pb2.UploadMeetingRequest]) -> AsyncIterator[UploadPiece]:
    async for request in requests:
        fields = {"name": request.name, "date": request.date, "language": request.language}
        if request.n_speakers:
            fields["n_speakers"] = str(request.n_speakers)
        stated = {name: value for name, value in fields.items() if value}
        yield UploadPiece(request.body.data, request.body.content_type, stated)


class MeetingServicer(meetings_pb2_grpc.MeetingServiceServicer):
    """See proto/meetra/v1/meetings.proto."""

    def __init__(self, database: Database, uploads: Uploads) -> None:
        self._database = database
        self._uploads = uploads

    async def UploadMeeting(  # noqa: N802
        self,
        request_iterator: AsyncIterator[meetings_pb2.UploadMeetingRequest],
        context: aio.ServicerContext[Any, Any],
    ) -> meetings_pb2.UploadMeetingResponse:
        receipt = await self._uploads.receive(current_caller(), _pieces(request_iterator))
        return meetings_pb2.UploadMeetingResponse(file_hash=receipt.file_hash, status=receipt.status)

    async def GetMeetingStatus(  # noqa: N802
        self, request: meetings_pb2.GetMeetingStatusRequest, context: aio.ServicerContext[Any, Any]
    ) -> meetings_pb2.GetMeetingStatusResponse:
        organization_id = current_caller().organization_id
        file_hash = checked_file_hash(request.file_hash)
        state = await self._database.run(lambda c: meetings.state_of(c, organization_id, file_hash))
        if state is None:
            raise MeetingNotFound
        return meetings_pb2.GetMeetingStatusResponse(
            file_hash=state.file_hash,
            status=state.status,
            progress_percent=state.progress_percent,
            stage=state.stage,
            message=state.message,
        )

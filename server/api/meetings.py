"""MeetingService: uploads, status, lists and deletion of meetings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

from grpc import aio
from meetra.v1 import meetings_pb2, meetings_pb2_grpc

from server.api.metadata import content_encoding, declared_length
from server.api.validation import page_of, parse_page_token, validate_file_hash, validate_page_size
from server.auth import current_caller
from server.errors import MeetingNotFound
from server.meetings import Deletion, UploadChunk, Uploads
from server.storage import Database, meetings


async def _read_chunks(requests: AsyncIterator[meetings_pb2.UploadMeetingRequest]) -> AsyncIterator[UploadChunk]:
    async for request in requests:
        fields = {"name": request.name, "date": request.date, "language": request.language}
        fields["key_terms"] = "\n".join(request.key_terms)
        fields["channels"] = request.channels
        fields["redact"] = request.redact
        if request.n_speakers:
            fields["n_speakers"] = str(request.n_speakers)
        stated = {name: value for name, value in fields.items() if value}
        yield UploadChunk(request.body.data, request.body.content_type, stated)


class MeetingServicer(meetings_pb2_grpc.MeetingServiceServicer):
    """See proto/meetra/v1/meetings.proto."""

    def __init__(self, database: Database, uploads: Uploads, deletion: Deletion) -> None:
        self._database = database
        self._uploads = uploads
        self._deletion = deletion

    async def UploadMeeting(  # noqa: N802
        self,
        request_iterator: AsyncIterator[meetings_pb2.UploadMeetingRequest],
        context: aio.ServicerContext[Any, Any],
    ) -> meetings_pb2.UploadMeetingResponse:
        """See MeetingService.UploadMeeting."""
        chunks = _read_chunks(request_iterator)
        receipt = await self._uploads.receive(
            current_caller(), chunks, content_encoding(context), declared_length(context)
        )
        return meetings_pb2.UploadMeetingResponse(file_hash=receipt.file_hash, status=receipt.status)

    async def GetMeetingStatus(  # noqa: N802
        self, request: meetings_pb2.GetMeetingStatusRequest, context: aio.ServicerContext[Any, Any]
    ) -> meetings_pb2.GetMeetingStatusResponse:
        """See MeetingService.GetMeetingStatus."""
        organization_id = current_caller().organization_id
        file_hash = validate_file_hash(request.file_hash)
        state = await self._database.run(
            lambda c: meetings.find_state(c, organization_id, file_hash), organization_id=organization_id
        )
        if state is None:
            raise MeetingNotFound
        return meetings_pb2.GetMeetingStatusResponse(
            file_hash=state.file_hash,
            status=state.status,
            progress_percent=state.progress_percent,
            stage=state.stage,
            message=state.message,
            language=state.language or None,
            language_confidence=state.language_confidence,
            speech_found=state.speech_found,
            notice=state.notice or None,
            redact=state.redact or None,
        )

    async def ListMeetings(  # noqa: N802
        self, request: meetings_pb2.ListMeetingsRequest, context: aio.ServicerContext[Any, Any]
    ) -> meetings_pb2.ListMeetingsResponse:
        """See MeetingService.ListMeetings."""
        organization_id = current_caller().organization_id
        size, after = validate_page_size(request.page_size), parse_page_token(request.page_token)
        found = await self._database.run(
            lambda c: meetings.list_page(c, organization_id, size + 1, after), organization_id=organization_id
        )
        listed, token = page_of(found, size)
        return meetings_pb2.ListMeetingsResponse(
            meetings=[
                meetings_pb2.MeetingSummary(
                    file_hash=meeting.file_hash,
                    name=meeting.name,
                    date=meeting.held_on or "",
                    status=meeting.status,
                    duration_ms=meeting.duration_ms or 0,
                    speakers=meeting.speakers,
                    created_at=meeting.created_at.astimezone(UTC).isoformat(timespec="seconds"),
                )
                for meeting in listed
            ],
            next_page_token=token,
        )

    async def DeleteMeeting(  # noqa: N802
        self, request: meetings_pb2.DeleteMeetingRequest, context: aio.ServicerContext[Any, Any]
    ) -> meetings_pb2.DeleteMeetingResponse:
        """See MeetingService.DeleteMeeting."""
        file_hash = validate_file_hash(request.file_hash)
        await self._deletion.delete(current_caller().organization_id, file_hash)
        return meetings_pb2.DeleteMeetingResponse()

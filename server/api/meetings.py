"""MeetingService: uploads, status, lists and deletion of meetings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from grpc import aio
from meetra.v1 import meetings_pb2, meetings_pb2_grpc

from server.api.meeting_list import page_of_meetings, parse_filter, parse_order, parse_position, summary_message
from server.api.metadata import content_encoding, declared_length
from server.api.validation import validate_file_hash, validate_page_size
from server.auth import current_caller
from server.consent import Consent, check_consents
from server.errors import BadRequest, MeetingNotFound
from server.meetings import Deletion, MeetingConsents, UploadChunk, Uploads
from server.moments import utc_text
from server.storage import Database, MeetingPart, MeetingState, NotedConsent, meeting_lists, meetings, retention

# The longest that a deletion waits, seconds.
MAX_UNDO_S = 3600


async def _read_chunks(requests: AsyncIterator[meetings_pb2.UploadMeetingRequest]) -> AsyncIterator[UploadChunk]:
    async for request in requests:
        fields = {"name": request.name, "date": request.date, "language": request.language}
        fields["key_terms"] = "\n".join(request.key_terms)
        fields["channels"] = request.channels
        fields["consent"] = "\n".join(request.consent)
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
        self._consents = MeetingConsents(database)

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
        return status_message(state)

    async def ListMeetings(  # noqa: N802
        self, request: meetings_pb2.ListMeetingsRequest, context: aio.ServicerContext[Any, Any]
    ) -> meetings_pb2.ListMeetingsResponse:
        """See MeetingService.ListMeetings."""
        organization_id = current_caller().organization_id
        size, order, wanted = validate_page_size(request.page_size), parse_order(request.sort), parse_filter(request)
        after = parse_position(request.page_token, order)
        found = await self._database.run(
            lambda c: meeting_lists.list_page(c, organization_id, size + 1, after, wanted, order),
            organization_id=organization_id,
        )
        listed, token = page_of_meetings(found, size, order)
        return meetings_pb2.ListMeetingsResponse(meetings=map(summary_message, listed), next_page_token=token)

    async def GetMeetingConsent(  # noqa: N802
        self, request: meetings_pb2.GetMeetingConsentRequest, context: aio.ServicerContext[Any, Any]
    ) -> meetings_pb2.GetMeetingConsentResponse:
        """See MeetingService.GetMeetingConsent."""
        noted = await self._consents.find(current_caller(), validate_file_hash(request.file_hash))
        return consent_message(noted)

    async def SetMeetingConsent(  # noqa: N802
        self, request: meetings_pb2.SetMeetingConsentRequest, context: aio.ServicerContext[Any, Any]
    ) -> meetings_pb2.SetMeetingConsentResponse:
        """See MeetingService.SetMeetingConsent."""
        file_hash = validate_file_hash(request.file_hash)
        given = check_consents("consent", (Consent(c.who, c.how, c.when) for c in request.note.consent))
        noted = await self._consents.replace(current_caller(), file_hash, given)
        return meetings_pb2.SetMeetingConsentResponse(consent=map(_consent, noted))

    async def GetMeetingRetention(  # noqa: N802
        self, request: meetings_pb2.GetMeetingRetentionRequest, context: aio.ServicerContext[Any, Any]
    ) -> meetings_pb2.GetMeetingRetentionResponse:
        """See MeetingService.GetMeetingRetention."""
        organization_id = current_caller().organization_id
        file_hash = validate_file_hash(request.file_hash)
        parts = await self._database.run(
            lambda c: retention.find_parts(c, organization_id, file_hash), organization_id=organization_id
        )
        if not parts:
            raise MeetingNotFound
        return retention_message(parts)

    async def DeleteMeeting(  # noqa: N802
        self, request: meetings_pb2.DeleteMeetingRequest, context: aio.ServicerContext[Any, Any]
    ) -> meetings_pb2.DeleteMeetingResponse:
        """See MeetingService.DeleteMeeting."""
        file_hash = validate_file_hash(request.file_hash)
        if not 0 <= request.undo_seconds <= MAX_UNDO_S:
            raise BadRequest("undo_seconds", f"{request.undo_seconds}; must be 1 to {MAX_UNDO_S}, or absent")
        if not request.undo_seconds:
            await self._deletion.delete(current_caller(), file_hash)
            return meetings_pb2.DeleteMeetingResponse()
        delete_at = await self._deletion.delete_later(current_caller(), file_hash, request.undo_seconds)
        return meetings_pb2.DeleteMeetingResponse(delete_at=utc_text(delete_at))

    async def RestoreMeeting(  # noqa: N802
        self, request: meetings_pb2.RestoreMeetingRequest, context: aio.ServicerContext[Any, Any]
    ) -> meetings_pb2.RestoreMeetingResponse:
        """See MeetingService.RestoreMeeting."""
        await self._deletion.call_off(current_caller(), validate_file_hash(request.file_hash))
        return meetings_pb2.RestoreMeetingResponse()


def retention_message(parts: Sequence[MeetingPart]) -> meetings_pb2.GetMeetingRetentionResponse:
    """Return the parts of a meeting, kept or deleted, as callers see them."""
    return meetings_pb2.GetMeetingRetentionResponse(**{part.part: _retained(part) for part in parts})


def consent_message(noted: Sequence[NotedConsent]) -> meetings_pb2.GetMeetingConsentResponse:
    """Return the consents of a meeting as callers see them."""
    return meetings_pb2.GetMeetingConsentResponse(consent=map(_consent, noted))


def _retained(part: MeetingPart) -> meetings_pb2.RetainedPart:
    if part.deleted_at is not None:
        return meetings_pb2.RetainedPart(deleted_at=utc_text(part.deleted_at))
    return meetings_pb2.RetainedPart(due_at=utc_text(part.due_at))


def _consent(noted: NotedConsent) -> meetings_pb2.Consent:
    return meetings_pb2.Consent(
        who=noted.consent.who,
        how=noted.consent.how,
        when=noted.consent.when,
        noted_at=utc_text(noted.noted_at),
        noted_by=noted.email or "",
    )


def status_message(state: MeetingState) -> meetings_pb2.GetMeetingStatusResponse:
    """Return the state of a meeting as callers see it."""
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
        name=state.name,
        date=state.held_on or "",
        duration_ms=state.duration_ms or 0,
        created_at=utc_text(state.created_at) if state.created_at else "",
    )

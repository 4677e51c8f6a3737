"""ExportService: everything of an organization as one archive, and meetings in the formats of other programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from uuid import UUID

from google.api import httpbody_pb2
from grpc import aio
from meetra.v1 import export_pb2 as pb
from meetra.v1 import export_pb2_grpc

from server.api.export_documents import RestDocuments
from server.api.meeting_file import MeetingFiles
from server.api.metadata import wants_head_only
from server.auth import current_caller
from server.errors import ExportRunning
from server.export import MeetingAudio, OrganizationExport
from server.quotas import Quotas
from server.storage import Database

Context = aio.ServicerContext[Any, Any]
MEDIA_TYPE = "application/x-tar"
# Of a message: small files are gathered, large ones come in such pieces already.
PIECE_BYTES = 256 * 1024
# Of one organization at once in this process: each is held in memory, up to tens of megabytes, until its reader has it.
MAX_FILES = 4


class ExportServicer(export_pb2_grpc.ExportServiceServicer):
    """See proto/meetra/v1/export.proto."""

    def __init__(self, database: Database, audio: MeetingAudio, defaults: Quotas) -> None:
        self._database = database
        self._audio = audio
        self._documents = RestDocuments(defaults)
        self.files = MeetingFiles(database, self._documents)
        self._sent = Counter[UUID]()
        """Files of meetings that are made or sent, by organization."""
        self._running: set[UUID] = set()
        """Organizations with an export under way."""

    async def ExportOrganization(  # noqa: N802
        self, request: pb.ExportOrganizationRequest, context: Context
    ) -> AsyncGenerator[pb.ExportOrganizationResponse, None]:
        """See ExportService.ExportOrganization."""
        organization_id = current_caller().organization_id
        if organization_id in self._running:
            raise ExportRunning
        self._running.add(organization_id)
        try:
            include_audio = request.include_audio if request.HasField("include_audio") else True
            export = OrganizationExport(
                self._database, self._audio, self._documents, organization_id, include_audio=include_audio
            )
            name = f"meetra-export-{export.started_at:%Y%m%dT%H%M%SZ}.tar"
            await context.send_initial_metadata((("content-disposition", f'attachment; filename="{name}"'),))
            if wants_head_only(context):
                return
            async with aclosing(export.chunks()) as chunks, aclosing(_pieces(chunks)) as pieces:
                async for piece in pieces:
                    body = httpbody_pb2.HttpBody(content_type=MEDIA_TYPE, data=piece)
                    yield pb.ExportOrganizationResponse(body=body)
        finally:
            self._running.discard(organization_id)

    async def ExportMeeting(  # noqa: N802
        self, request: pb.ExportMeetingRequest, context: Context
    ) -> AsyncGenerator[pb.ExportMeetingResponse, None]:
        """See ExportService.ExportMeeting."""
        organization_id = current_caller().organization_id
        if self._sent[organization_id] >= MAX_FILES:
            raise ExportRunning
        self._sent[organization_id] += 1
        try:
            file = await self.files.make(organization_id, request.file_hash, request.format)
            await context.send_initial_metadata((("content-disposition", file.disposition),))
            if wants_head_only(context):
                return
            # An empty file is one piece, too: it carries the media type.
            for start in range(0, max(1, len(file.data)), PIECE_BYTES):
                body = httpbody_pb2.HttpBody(content_type=file.media_type, data=file.data[start : start + PIECE_BYTES])
                yield pb.ExportMeetingResponse(body=body)
        finally:
            self._sent[organization_id] -= 1
            if not self._sent[organization_id]:
                del self._sent[organization_id]


async def _pieces(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield the same bytes in pieces of at most a message's size."""
    gathered = bytearray()
    async for chunk in chunks:
        gathered += chunk
        while len(gathered) >= PIECE_BYTES:
            yield bytes(gathered[:PIECE_BYTES])
            del gathered[:PIECE_BYTES]
    if gathered:
        yield bytes(gathered)

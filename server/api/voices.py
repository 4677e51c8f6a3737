"""VoiceService: voices that an organization has recognised across its meetings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grpc import aio
from meetra.v1 import voices_pb2 as pb
from meetra.v1 import voices_pb2_grpc

from server.api.validation import parse_uuid
from server.auth import current_caller
from server.errors import VoiceNotFound
from server.storage import Connection, Database, VoiceRow, voices

Context = aio.ServicerContext[Any, Any]


class VoiceServicer(voices_pb2_grpc.VoiceServiceServicer):
    """See proto/meetra/v1/voices.proto."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ListVoices(  # noqa: N802
        self, request: pb.ListVoicesRequest, context: Context
    ) -> pb.ListVoicesResponse:
        """See VoiceService.ListVoices."""
        organization_id = current_caller().organization_id

        async def query(connection: Connection) -> tuple[bool, list[VoiceRow]]:
            wanted = await voices.recognition_enabled(connection, organization_id)
            return wanted, await voices.list_all(connection, organization_id)

        wanted, known = await self._database.run(query, organization_id=organization_id)
        return voices_message(wanted, known)

    async def UpdateVoiceSettings(  # noqa: N802
        self, request: pb.UpdateVoiceSettingsRequest, context: Context
    ) -> pb.UpdateVoiceSettingsResponse:
        """See VoiceService.UpdateVoiceSettings."""
        organization_id = current_caller().organization_id
        await self._database.run(
            lambda c: voices.set_recognition(c, organization_id, request.recognise), organization_id=organization_id
        )
        return pb.UpdateVoiceSettingsResponse(recognise=request.recognise)

    async def DeleteVoice(  # noqa: N802
        self, request: pb.DeleteVoiceRequest, context: Context
    ) -> pb.DeleteVoiceResponse:
        """See VoiceService.DeleteVoice."""
        organization_id, id_ = current_caller().organization_id, parse_uuid("id", request.id)
        deleted = await self._database.run(
            lambda c: voices.delete(c, organization_id, id_), organization_id=organization_id
        )
        if not deleted:
            raise VoiceNotFound
        return pb.DeleteVoiceResponse()


def voices_message(recognise: bool, known: Sequence[VoiceRow]) -> pb.ListVoicesResponse:
    """Return the known voices as callers see them."""
    return pb.ListVoicesResponse(
        recognise=recognise, voices=[pb.Voice(id=str(v.id), name=v.name, meetings=v.meetings) for v in known]
    )

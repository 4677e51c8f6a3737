"""KeyService: API keys of the caller, for owners those of their organization."""

from __future__ import annotations

from typing import Any

from grpc import aio
from meetra.v1 import keys_pb2 as pb
from meetra.v1 import keys_pb2_grpc

from server.api.validation import page_of, parse_page_token, parse_uuid, validate_page_size
from server.auth import Keys, current_caller
from server.errors import BadRequest
from server.meetings import validate_name
from server.moments import utc_text
from server.storage import SCOPES, KeyRow

MAX_NAME = 200
MAX_DAYS = 3650
Context = aio.ServicerContext[Any, Any]


class KeyServicer(keys_pb2_grpc.KeyServiceServicer):
    """See proto/meetra/v1/keys.proto."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def CreateKey(self, request: pb.CreateKeyRequest, context: Context) -> pb.CreateKeyResponse:  # noqa: N802
        """See KeyService.CreateKey."""
        name = request.name.strip()
        if not name or len(name) > MAX_NAME:
            raise BadRequest("name", f"must be 1 to {MAX_NAME} characters")
        scopes = [scope for scope in SCOPES if scope in request.scopes]
        if not scopes or not set(request.scopes) <= set(SCOPES):
            raise BadRequest("scopes", f"must be one or several of {', '.join(SCOPES)}")
        if not 0 <= request.expires_in_days <= MAX_DAYS:
            raise BadRequest("expires_in_days", f"must be 1 to {MAX_DAYS}, or 0 for a key that never expires")
        made = await self._keys.create(
            current_caller(), validate_name("name", name, MAX_NAME), scopes, request.expires_in_days
        )
        return pb.CreateKeyResponse(key=key_message(made.row), secret=made.secret)

    async def ListKeys(self, request: pb.ListKeysRequest, context: Context) -> pb.ListKeysResponse:  # noqa: N802
        """See KeyService.ListKeys."""
        size = validate_page_size(request.page_size)
        found = await self._keys.list_page(current_caller(), size + 1, parse_page_token(request.page_token))
        page, token = page_of(found, size)
        return pb.ListKeysResponse(keys=map(key_message, page), next_page_token=token)

    async def RevokeKey(self, request: pb.RevokeKeyRequest, context: Context) -> pb.RevokeKeyResponse:  # noqa: N802
        """See KeyService.RevokeKey."""
        await self._keys.revoke(current_caller(), parse_uuid("id", request.id))
        return pb.RevokeKeyResponse()


def key_message(key: KeyRow) -> pb.Key:
    """Return a key as callers see it."""
    return pb.Key(
        id=str(key.id),
        name=key.name,
        email=key.email,
        scopes=key.scopes,
        created_at=utc_text(key.created_at),
        expires_at=utc_text(key.expires_at) or "",
        last_used_at=utc_text(key.last_used_at) or "",
    )

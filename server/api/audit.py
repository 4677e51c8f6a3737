"""AuditService: the audit log of an organization, for its owners."""

from __future__ import annotations

import re
from typing import Any

from grpc import aio
from meetra.v1 import audit_pb2 as pb
from meetra.v1 import audit_pb2_grpc

from server.api.validation import format_page_token, parse_moment, parse_page_token, parse_uuid, validate_page_size
from server.audit import audit_message
from server.auth import current_caller
from server.errors import BadRequest
from server.storage import AUDIT_ACTIONS, AuditFilter, Database, audit

Context = aio.ServicerContext[Any, Any]
# Actors without an id.
NAMELESS = ("operator", "unknown")
_HASH = re.compile(r"[0-9a-f]{64}")


class AuditServicer(audit_pb2_grpc.AuditServiceServicer):
    """See proto/meetra/v1/audit.proto."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ListAuditEvents(  # noqa: N802
        self, request: pb.ListAuditEventsRequest, context: Context
    ) -> pb.ListAuditEventsResponse:
        """See AuditService.ListAuditEvents."""
        organization_id = current_caller().organization_id
        size, before = validate_page_size(request.page_size), parse_page_token(request.page_token)
        wanted = _filter(request)
        page = await self._database.run(
            lambda c: audit.list_page(c, organization_id, wanted, size, before), organization_id=organization_id
        )
        token = format_page_token(*page.ends_at) if page.ends_at else ""
        return pb.ListAuditEventsResponse(events=map(audit_message, page.events), next_page_token=token)


def _filter(request: pb.ListAuditEventsRequest) -> AuditFilter:
    """Return what a request selects. Raises BadRequest."""
    actor, wanted, action = request.actor, request.object.lower(), request.action
    if actor and actor not in NAMELESS:
        actor = str(parse_uuid("actor", actor))
    if wanted and not _HASH.fullmatch(wanted):
        wanted = str(parse_uuid("object", wanted))
    if action and action not in AUDIT_ACTIONS:
        raise BadRequest("action", f"must be one of {', '.join(AUDIT_ACTIONS)}")
    return AuditFilter(
        actor, wanted, action, parse_moment("from", request.from_time), parse_moment("to", request.to_time)
    )

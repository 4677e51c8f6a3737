"""What uploads over plain HTTP have in common: who may send one, its stated size, and its place in the audit log."""

from __future__ import annotations

from meetra.v1 import access_pb2 as access
from starlette.requests import Request

from server.api.audit_rules import AuditRule
from server.api.call_rule import CallRule
from server.api.metadata import parse_length
from server.audit import current_call

# Written to the audit log once there is a meeting: ``record_upload``.
UPLOAD_RULE = CallRule(
    "/meetra.v1.MeetingService/UploadMeeting", frozenset({access.RIGHT_UPLOAD}), AuditRule("", "meeting", False, ())
)


async def record_upload(file_hash: str) -> None:
    """Write the meeting that an upload has become to the audit log, as of any upload."""
    if (call := current_call()) is not None:
        await call.add("MeetingService/UploadMeeting", "change", "meeting", file_hash)


def declared_bytes(request: Request) -> int:
    """Return the size of a body as its sender states it, bytes; 0 if unknown."""
    return parse_length(request.headers.get("content-length", "")) or 0

"""Events as callers see them."""

from __future__ import annotations

from datetime import UTC, datetime

from meetra.v1 import audit_pb2 as pb

from server.storage import AuditEvent

# What the field holds.
MAX_COUNT = 2**31 - 1


def audit_message(event: AuditEvent) -> pb.AuditEvent:
    """Return an event as callers see it."""
    return pb.AuditEvent(
        id=str(event.id),
        at=_text(event.happened_at),
        last_at=_text(event.last_at or event.happened_at),
        count=min(event.count, MAX_COUNT),
        actor=event.actor,
        user_id=str(event.user_id or ""),
        key_id=str(event.key_id or ""),
        role=event.role,
        method=event.method,
        action=event.action,
        object_kind=event.object_kind,
        object_id=event.object_id,
        address=event.address,
        status=event.status,
        request_id=event.request_id,
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")

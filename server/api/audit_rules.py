"""What each method declares to be in the audit log, and the ids that calls are about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message
from grpc import aio
from meetra.v1 import access_pb2 as pb

from server.api.metadata import client_address
from server.live import live_file_hash

# An id that a client sends is whatever it wants to send: nothing else of it gets into the log.
_HASH = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REQUEST_ID = re.compile(r"[0-9A-Za-z._-]{1,64}")


@dataclass(frozen=True, slots=True)
class AuditRule:
    """What a call of a method is in the log."""

    action: str
    """As in ``AuditEvent``; empty: no event."""
    object_kind: str
    """As in ``AuditEvent``."""
    session: bool
    """Whether the id is that of a live session."""
    path: tuple[str, ...]
    """Fields that lead to the id, in the request or else in the response; empty: the call is about the organization."""


@lru_cache(maxsize=1024)
def declared_audit(method: str) -> AuditRule:
    """Return the rule of ``/package.Service/Method``; what declares nothing counts as a change."""
    descriptor = find_method(method)
    if descriptor is None or not descriptor.GetOptions().HasExtension(pb.audit):
        return AuditRule("change", "", False, ())
    declared = descriptor.GetOptions().Extensions[pb.audit]
    action = pb.AuditAction.Name(declared.action).removeprefix("AUDIT_ACTION_").lower()
    kind = pb.AuditObject.Name(declared.object).removeprefix("AUDIT_OBJECT_").lower()
    # As the log has it: a live session is a meeting.
    logged_as = {pb.AUDIT_OBJECT_UNSPECIFIED: "", pb.AUDIT_OBJECT_SESSION: "meeting"}
    return AuditRule(
        "" if action == "none" else action,
        logged_as.get(declared.object, kind),
        declared.object == pb.AUDIT_OBJECT_SESSION,
        tuple(declared.id.split(".")) if declared.id else (),
    )


def find_method(method: str) -> MethodDescriptor | None:
    """Return the descriptor of ``/package.Service/Method``, or None."""
    service, _, name = method.strip("/").rpartition("/")
    try:
        found: MethodDescriptor = Default().FindMethodByName(f"{service}.{name}")
    except KeyError:
        return None
    return found


def short_name(method: str) -> str:
    """Return ``Service/Method`` of ``/package.Service/Method``."""
    service, _, name = method.strip("/").rpartition("/")
    return f"{service.rpartition('.')[2]}/{name}"[:200]


def leads_somewhere(descriptor: Any, path: tuple[str, ...]) -> bool:
    """Return whether messages of a descriptor have the field at the end of the path."""
    current = descriptor
    for name in path:
        if current is None or name not in current.fields_by_name:
            return False
        current = current.fields_by_name[name].message_type
    return True


def object_id(rule: AuditRule, message: object) -> str:
    """Return the id that a request or response holds, as the log has it; empty if it holds none that is one."""
    if not rule.path or not isinstance(message, Message) or not leads_somewhere(message.DESCRIPTOR, rule.path):
        return ""
    value: Any = message
    for name in rule.path:
        value = getattr(value, name)
    value = str(value).lower()
    if rule.session:
        return live_file_hash(UUID(value)) if _UUID.fullmatch(value) else ""
    return value if _HASH.fullmatch(value) or _UUID.fullmatch(value) else ""


def checked_address(context: aio.ServicerContext[Any, Any]) -> str:
    """Return the client's IP address as the gateway says it; empty if it says none."""
    try:
        return str(ip_address(client_address(context) or ""))
    except ValueError:
        return ""


def checked_request_id(context: aio.ServicerContext[Any, Any]) -> str:
    """Return the id that the gateway, or the client, gave to the call; empty if it is none."""
    said = next((str(value) for key, value in context.invocation_metadata() or () if key == "x-request-id"), "")
    return said if _REQUEST_ID.fullmatch(said) else ""

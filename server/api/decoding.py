"""Undecodable requests: reported as BadRequest with the field's name, never as a protobuf exception."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import Default
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from server.errors import BadRequest

# Deeper than any of our messages; a fault nested deeper is reported without the field's name.
MAX_DEPTH = 16
Deserializer = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Placeholder of an undecodable request; gRPC would answer INTERNAL if its deserializer raised."""

    error: BadRequest


def wrap_deserializer(method: str, deserialize: Deserializer | None) -> Deserializer | None:
    """Return a deserializer that returns ``Undecodable`` instead of raising DecodeError.

    Args:
        method: ``/package.Service/Method``; its request type names the field at fault.
        deserialize: the original deserializer.
    """
    if deserialize is None:
        return None

    def decode(data: bytes) -> Any:
        try:
            return deserialize(data)
        except DecodeError:
            return Undecodable(_explain(method, data))

    return decode


def require_decoded(request: Any) -> Any:
    """Return the request. Raises BadRequest if it could not be decoded."""
    if isinstance(request, Undecodable):
        raise request.error
    return request


async def require_all_decoded(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Yield the requests of a stream. Raises BadRequest at the first undecodable one."""
    async for request in requests:
        yield require_decoded(request)


def _explain(method: str, data: bytes) -> BadRequest:
    service, _, name = method.strip("/").rpartition("/")
    try:
        input_type = Default().FindMethodByName(f"{service}.{name}").input_type
    except KeyError:
        return BadRequest("body", "not a valid request message of this method")
    parameter = _find_non_utf8_field(input_type, data, MAX_DEPTH)
    if parameter is None:
        return BadRequest("body", "not a valid request message of this method")
    return BadRequest(parameter, "not UTF-8")


def _find_non_utf8_field(kind: Descriptor, data: bytes, depth: int) -> str | None:
    """Return the public name of the first string field in a serialized message that is not UTF-8, or None."""
    try:
        fields: Any = UnknownFieldSet(Empty.FromString(data))
    except DecodeError:
        return None
    for field in fields:
        known = kind.fields_by_number.get(field.field_number)
        if known is None or not isinstance(field.data, bytes):
            continue
        if known.type == FieldDescriptor.TYPE_STRING and not _is_utf8(field.data):
            # In REST, the only string field of google.api.HttpBody is a header.
            return "content-type" if known.full_name == "google.api.HttpBody.content_type" else known.json_name
        if known.message_type is not None and depth:
            within = _find_non_utf8_field(known.message_type, field.data, depth - 1)
            if within is not None:
                return within
    return None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True

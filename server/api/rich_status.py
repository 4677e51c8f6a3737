"""Errors as google.rpc.Status: code and message, with reason and facts as details."""

from __future__ import annotations

from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from server.errors import MeetraError

DOMAIN = "meetra"
# The standard gRPC trailer for error details.
DETAILS_TRAILER = "grpc-status-details-bin"
# Maximum length of an error message, characters. It is sent twice, percent-encoded in a header and base64-encoded in
# the details, and clients refuse headers over 8 KiB.
MAX_MESSAGE = 400


def rich_status(error: MeetraError) -> status_pb2.Status:
    """Return the status of ``error``, with ErrorInfo (reason, facts), and RetryInfo if a wait is known."""
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.facts),
    ]
    if error.retry_after_s is not None:
        wait = duration_pb2.Duration(seconds=error.retry_after_s)
        details.append(error_details_pb2.RetryInfo(retry_delay=wait))
    code, _ = error.grpc_status.value
    return status_pb2.Status(
        code=code, message=error.message[:MAX_MESSAGE], details=[_pack(detail) for detail in details]
    )


def _pack(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed

"""Conversion of failed calls to the errors of ``meetra_client.errors``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode
from meetra.v1 import live_pb2

from meetra_client.errors import (
    BadRequest,
    ConnectionLost,
    InternalError,
    MeetingOver,
    MeetraError,
    ServiceUnavailable,
    Unauthenticated,
)

DOMAIN = "meetra"
DETAILS_TRAILER = "grpc-status-details-bin"
# Statuses that a new connection may resolve. Proxies send CANCELLED for a vanished peer, and UNKNOWN for a non-gRPC
# response.
TRANSIENT = frozenset(
    {
        StatusCode.UNAVAILABLE,
        StatusCode.INTERNAL,
        StatusCode.DEADLINE_EXCEEDED,
        StatusCode.CANCELLED,
        StatusCode.UNKNOWN,
    }
)
_BY_REASON = {kind.reason: kind for kind in MeetraError.__subclasses__() if kind.reason}
# Fallback for proxies and gRPC itself, which send no reasons. Other statuses are ambiguous: MeetraError.
_BY_STATUS: dict[StatusCode, type[MeetraError]] = {
    StatusCode.INVALID_ARGUMENT: BadRequest,
    StatusCode.UNAUTHENTICATED: Unauthenticated,
    StatusCode.UNAVAILABLE: ServiceUnavailable,
    StatusCode.INTERNAL: InternalError,
}


class FailedCall(Protocol):
    """The common interface of ``grpc.aio.AioRpcError`` and the ``grpc.RpcError`` of a blocking call."""

    def code(self) -> StatusCode:
        """Return the gRPC status."""

    def details(self) -> str | None:
        """Return the status message."""

    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """Return the call's trailing metadata."""


def error_from(call: FailedCall) -> MeetraError:
    """Return the error for a failed call of any meetra.v1 service.

    The type follows the reason; for a missing or unknown reason, the status.
    """
    code = call.code()
    info, retry_after_s = _details(dict(call.trailing_metadata() or ()).get(DETAILS_TRAILER))
    kind = _BY_REASON.get(info.reason) or _BY_STATUS.get(code, MeetraError)
    return kind(call.details() or code.name, code, dict(info.metadata), retry_after_s)


def classify_failure(call: FailedCall) -> MeetraError | ConnectionLost:
    """Return what a failed call means for the meeting: ConnectionLost to reconnect, or a refusal."""
    if call.code() is StatusCode.OK:
        return ConnectionLost("the stream ended before the meeting did")
    error = error_from(call)
    if error.code in TRANSIENT:
        return ConnectionLost(f"{error.code.name}: {error}", error)
    return error


def late_audio_error(limits: live_pb2.LiveLimits, undelivered: dict[str, int]) -> MeetingOver:
    """Return the error for a meeting that was finished while audio was undelivered."""
    text = f"another client finished the meeting, or its grace period of {limits.grace_s} s expired"
    if undelivered:
        text += "; samples too late: " + ", ".join(f"{n} of {track!r}" for track, n in undelivered.items())
    return MeetingOver(text, undelivered=undelivered)


def _details(trailer: str | bytes | None) -> tuple[error_details_pb2.ErrorInfo, float | None]:
    """Return the server's reason and facts, empty if none, and the delay to wait, seconds."""
    own_info, info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    retry_after_s: float | None = None
    if not isinstance(trailer, bytes):
        return own_info, None
    try:
        for detail in status_pb2.Status.FromString(trailer).details:
            if detail.Unpack(info) and info.domain == DOMAIN:
                own_info.CopyFrom(info)
            elif detail.Unpack(retry):
                retry_after_s = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    except DecodeError:
        # Not from our server: the status suffices.
        return error_details_pb2.ErrorInfo(), None
    return own_info, retry_after_s

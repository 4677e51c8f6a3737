"""The base of all errors: reason and facts for programs, a message for people, gRPC and HTTP statuses."""

from __future__ import annotations

import grpc

# Default HTTP status of each gRPC status.
HTTP_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
}
# Maximum length of a fact, characters; the reason is in server/api/rich_status.py.
MAX_FACT_LENGTH = 64
# Carries the reason alone, for who does not read the details of a status.
REASON_TRAILER = "x-meetra-reason"


class MeetraError(Exception):
    """An error that callers see. ``http_status`` overrides the default mapping.

    Args:
        message: for people.
        facts: values in the message that programs would otherwise have to parse.
    """

    reason: str
    """Permanent name of the failure: an ``ErrorReason`` of meetra.v1 without its prefix."""
    grpc_status: grpc.StatusCode
    http_status: int | None = None
    retry_after_s: int | None = None

    def __init__(self, message: str, **facts: str | int) -> None:
        super().__init__(message)
        self.message = message
        if self.retry_after_s is not None:
            facts["retry_after_s"] = self.retry_after_s
        self.facts = {name: str(fact)[:MAX_FACT_LENGTH] for name, fact in facts.items()}

    def again(self) -> MeetraError:
        """Return this error for another call that fails for the same reason."""
        return self.with_traceback(None)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the trailers that become an HTTP answer; without them the gateway treats an error as gRPC's own."""
        status = self.http_status or HTTP_STATUS[self.grpc_status]
        pairs = [("x-http-code", str(status)), (REASON_TRAILER, self.reason)]
        if self.retry_after_s is not None:
            pairs.append(("retry-after", str(self.retry_after_s)))
        return tuple(pairs)

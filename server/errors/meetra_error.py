"""What all errors have: a reason and facts for programs, a message for people, the statuses of gRPC and HTTP."""

from __future__ import annotations

import grpc

# What a gRPC status is in HTTP, where an error does not say otherwise.
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
# Characters of a fact's text; server/api/rich_status.py says why.
MAX_FACT_LENGTH = 64


class MeetraError(Exception):
    """Something the caller should know. ``http_status`` is set where gRPC's own mapping would differ.

    Args:
        message: for people.
        facts: for programs, beside ``reason``: what a client would otherwise search the message for.
    """

    reason: str
    """Names the failure for good: an ``ErrorReason`` of meetra.v1 without its prefix."""
    grpc_status: grpc.StatusCode
    http_status: int | None = None
    retry_after_s: int | None = None

    def __init__(self, message: str, **facts: str | int) -> None:
        super().__init__(message)
        self.message = message
        if self.retry_after_s is not None:
            facts["retry_after_s"] = self.retry_after_s
        self.facts = {name: str(fact)[:MAX_FACT_LENGTH] for name, fact in facts.items()}

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What the gateway needs beside the gRPC status; an error without it is gRPC's own to the gateway."""
        pairs = [("x-http-code", str(self.http_status or HTTP_STATUS[self.grpc_status]))]
        if self.retry_after_s is not None:
            pairs.append(("retry-after", str(self.retry_after_s)))
        return tuple(pairs)

"""Errors of any call: authentication, requests, and unavailability."""

from __future__ import annotations

from random import randint

import grpc

from server.errors.meetra_error import MeetraError

# The least and the longest time, seconds.
RETRY_OVERLOADED_S = (5, 15)
QUOTA_MESSAGES = {
    "upload_bytes_per_day": "This organization may upload {limit} bytes a day and has uploaded {used}, so that this"
    " recording is too much; try again after midnight UTC",
    "minutes_per_day": "This organization may have {limit} minutes of audio analysed a day and has used {used}, so that"
    " this recording is too much; try again after midnight UTC",
    "stored_bytes": "This organization may store {limit} bytes and stores {used}, so that this recording is too much;"
    " delete meetings, or ask for a higher limit",
    "uploads_at_once": "This organization may upload {limit} recordings at once and does; try again when one is there",
}


class Unauthenticated(MeetraError):
    """The token is missing, malformed, expired, void or foreign."""

    reason = "UNAUTHENTICATED"
    grpc_status = grpc.StatusCode.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class BadRequest(MeetraError):
    """A parameter or body is invalid; the message names it and the fix."""

    reason = "BAD_REQUEST"
    grpc_status = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(self, parameter: str, fix: str) -> None:
        super().__init__(f"Bad request: {parameter}: {fix}", field=parameter)
        self.parameter, self.fix = parameter, fix


class UnsupportedContentEncoding(MeetraError):
    """The body's content encoding is not supported."""

    reason = "UNSUPPORTED_CONTENT_ENCODING"
    grpc_status = grpc.StatusCode.INVALID_ARGUMENT
    http_status = 415

    def __init__(self) -> None:
        super().__init__("content-encoding: not supported; use gzip or deflate, or send the body uncompressed")


class ExportRunning(MeetraError):
    """An export of the organization is being sent."""

    reason = "EXPORT_RUNNING"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    retry_after_s = 60

    def __init__(self) -> None:
        super().__init__("An export of this organization is running; try again when it is complete")


class SearchOverloaded(MeetraError):
    """A search took too long, or waited too long for others."""

    reason = "SEARCH_OVERLOADED"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("The search took too long; narrow it by dates, a meeting or a speaker, or try again")


class StorageFull(MeetraError):
    """A disk of the server is full; nothing of the request was stored."""

    reason = "STORAGE_FULL"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    http_status = 507
    retry_after_s = 60

    def __init__(self) -> None:
        super().__init__("The server's disk is full, or almost; nothing was stored. Try again later")


class ServerOverloaded(MeetraError):
    """The server has as much work as it can do in time; nothing of the request was stored.

    Args:
        cause: "lag": what is said in the live meetings that are there is told late; "memory": too little of it is free.
    """

    reason = "SERVER_OVERLOADED"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, cause: str) -> None:
        # Those who are refused together come again one after the other.
        self.retry_after_s = randint(*RETRY_OVERLOADED_S)
        why = "has too little free memory" if cause == "memory" else "has as many live meetings as it can follow"
        super().__init__(f"The server {why}; nothing was stored. Try again later", cause=cause)

    def again(self) -> ServerOverloaded:
        """Return it with a time of its own."""
        return type(self)(self.facts["cause"])


class ServiceUnavailable(MeetraError):
    """The database, or the object store of recordings, is temporarily unreachable."""

    reason = "SERVICE_UNAVAILABLE"
    grpc_status = grpc.StatusCode.UNAVAILABLE
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("Service unavailable, try again")


class TooManyOpenCalls(MeetraError):
    """The user or organization has its limit of open calls; streams and single calls are counted apart.

    Args:
        scope: "user" or "organization".
        limit: of that scope.
        streams: whether streams are meant.
    """

    reason = "TOO_MANY_OPEN_CALLS"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    retry_after_s = 5

    def __init__(self, scope: str, limit: int, *, streams: bool) -> None:
        kind = "streams (live meetings, events, uploads)" if streams else "calls"
        super().__init__(
            f"This {scope} has its limit of {limit} open {kind}; end one, or try again later",
            scope=scope,
            limit=limit,
        )


class QuotaExceeded(MeetraError):
    """The organization has used up one of its quotas.

    Args:
        quota: a field of ``server.quotas.Quotas``.
        limit: of that quota.
        used: of it, by the organization.
        retry_after_s: seconds until it may be less.
    """

    reason = "QUOTA_EXCEEDED"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, quota: str, limit: int, used: int, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(QUOTA_MESSAGES[quota].format(limit=limit, used=used), quota=quota, limit=limit, used=used)


class InternalError(MeetraError):
    """An internal failure; the caller learns no more than that."""

    reason = "INTERNAL_ERROR"
    grpc_status = grpc.StatusCode.INTERNAL

    def __init__(self) -> None:
        super().__init__("Internal error")

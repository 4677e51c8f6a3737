"""Every failure that a caller may see: a type that knows its gRPC status, HTTP status and message."""

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


class MeetraError(Exception):
    """Something the caller should know. ``http_status`` is set where gRPC's own mapping would differ."""

    grpc_status: grpc.StatusCode
    http_status: int | None = None
    retry_after_s: int | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What the gateway needs beside the gRPC status; an error without it is gRPC's own to the gateway."""
        pairs = [("x-http-code", str(self.http_status or HTTP_STATUS[self.grpc_status]))]
        if self.retry_after_s is not None:
            pairs.append(("retry-after", str(self.retry_after_s)))
        return tuple(pairs)


class Unauthenticated(MeetraError):
    """No token, or one that is malformed, expired, revoked or not ours."""

    grpc_status = grpc.StatusCode.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class InvalidCredentials(MeetraError):
    """The email is unknown or the password wrong; the documented status is 400."""

    grpc_status = grpc.StatusCode.UNAUTHENTICATED
    http_status = 400

    def __init__(self) -> None:
        super().__init__("Invalid email or password")


class BadRequest(MeetraError):
    """A parameter or body that cannot be used; names it and says how to mend it."""

    grpc_status = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(self, parameter: str, fix: str) -> None:
        super().__init__(f"Bad request: {parameter}: {fix}")
        self.parameter, self.fix = parameter, fix


class UnsupportedContentEncoding(MeetraError):
    """A body in a content encoding that the server does not read."""

    grpc_status = grpc.StatusCode.INVALID_ARGUMENT
    http_status = 415

    def __init__(self) -> None:
        super().__init__("content-encoding: only gzip, deflate or identity; send the body as it is")


class MeetingNotFound(MeetraError):
    """No such meeting in the caller's organization."""

    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Meeting not found")


class SpeakerNotFound(MeetraError):
    """No such speaker in the caller's organization."""

    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Speaker not found")


class VoiceNotFound(MeetraError):
    """No such voice in the caller's organization."""

    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Voice not found")


class MeetingStillProcessing(MeetraError):
    """The analysis is not finished; ask again."""

    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409
    retry_after_s = 2

    def __init__(self, progress_percent: int) -> None:
        super().__init__(f"Meeting is still being processed ({progress_percent} %)")


class MeetingFailed(MeetraError):
    """The analysis failed for good."""

    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self, reason: str) -> None:
        super().__init__(f"Meeting could not be processed: {reason}")


class ChannelsDiffer(MeetraError):
    """A recording is known, with its channels taken for something else than they are said to be now."""

    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self, analysed: str) -> None:
        super().__init__(
            f"channels: this recording is known with channels={analysed}; delete the meeting, then upload it again, to"
            " have it analysed anew"
        )


class FileTooLarge(MeetraError):
    """More bytes than the server accepts."""

    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    http_status = 413

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"file: larger than this server accepts ({limit_bytes} bytes)")


class RecordingTooLong(MeetraError):
    """More time than the server accepts."""

    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    http_status = 413

    def __init__(self, duration_s: float, limit_s: float) -> None:
        super().__init__(f"file: {duration_s:.0f} s long; this server accepts {limit_s:.0f} s")


class StorageFull(MeetraError):
    """A disk of the server is full; nothing of what was to be stored is kept."""

    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    http_status = 507
    retry_after_s = 60

    def __init__(self) -> None:
        super().__init__("The server's disk is full; nothing was stored. Try again once there is room")


class ServiceUnavailable(MeetraError):
    """The database is away for the moment."""

    grpc_status = grpc.StatusCode.UNAVAILABLE
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("Service unavailable, try again")


class SessionNotFound(MeetraError):
    """No such live session in the caller's organization."""

    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Live session not found")


class AudioGap(MeetraError):
    """Audio that does not follow what is known of its track."""

    grpc_status = grpc.StatusCode.OUT_OF_RANGE

    def __init__(self, track_id: str, expected: int, got: int) -> None:
        super().__init__(f"audio.first_sample: {got} on track {track_id}; the next sample is {expected}")


class AudioOverlap(MeetraError):
    """Audio that begins before what is known of its track and ends after it."""

    grpc_status = grpc.StatusCode.OUT_OF_RANGE

    def __init__(self, track_id: str, expected: int, first: int, end: int) -> None:
        super().__init__(
            f"audio.first_sample: {first} to {end} on track {track_id}, of which everything before {expected} is"
            f" known; send from {expected}"
        )


class LiveMeetingTooLong(MeetraError):
    """More audio than a live meeting may have."""

    grpc_status = grpc.StatusCode.OUT_OF_RANGE

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"audio: the meeting is longer than this server accepts ({limit_s:.0f} s); finish it")


class MeetingOver(MeetraError):
    """The live meeting was finished: no more audio is taken."""

    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self) -> None:
        super().__init__("The meeting is finished; open a new one")


class HeldByAnotherClient(MeetraError):
    """Somebody else is connected to the live meeting."""

    grpc_status = grpc.StatusCode.ABORTED

    def __init__(self) -> None:
        super().__init__("Another client is connected to this meeting; set take_over to replace it")


class TakenOver(MeetraError):
    """Somebody else has taken the live meeting over."""

    grpc_status = grpc.StatusCode.ABORTED

    def __init__(self) -> None:
        super().__init__("Another client has taken this meeting over")


class TooManyLiveMeetings(MeetraError):
    """The server holds its limit of live meetings."""

    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    retry_after_s = 30

    def __init__(self, limit: int) -> None:
        super().__init__(f"This server holds its limit of {limit} live meetings; try again later")


class AudioNotStored(MeetraError):
    """The disk has no room for the audio of a live meeting; what was not acknowledged must come again."""

    grpc_status = grpc.StatusCode.UNAVAILABLE
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("The server's disk is full; send what was not acknowledged again")


class HeldByAnotherServer(MeetraError):
    """Another server process holds the live meeting, or this one stops."""

    grpc_status = grpc.StatusCode.UNAVAILABLE
    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__("The meeting is in other hands for a moment; connect again")

"""Errors of live meetings. Each ends a connection, none the session."""

from __future__ import annotations

import grpc

from server.errors.meetra_error import MeetraError


class SessionNotFound(MeetraError):
    """No such live session in the caller's organization."""

    reason = "SESSION_NOT_FOUND"
    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Live session not found")


class AudioGap(MeetraError):
    """Audio that does not follow what is known of its track."""

    reason = "AUDIO_GAP"
    grpc_status = grpc.StatusCode.OUT_OF_RANGE

    def __init__(self, track_id: str, expected: int, got: int) -> None:
        super().__init__(
            f"audio.first_sample: {got} on track {track_id}; the next sample is {expected}",
            track_id=track_id,
            expected=expected,
            got=got,
        )


class AudioOverlap(MeetraError):
    """Audio that begins before what is known of its track and ends after it."""

    reason = "AUDIO_OVERLAP"
    grpc_status = grpc.StatusCode.OUT_OF_RANGE

    def __init__(self, track_id: str, expected: int, first: int, end: int) -> None:
        super().__init__(
            f"audio.first_sample: {first} to {end} on track {track_id}, of which everything before {expected} is"
            f" known; send from {expected}",
            track_id=track_id,
            expected=expected,
            got=first,
            end=end,
        )


class LiveMeetingTooLong(MeetraError):
    """More audio than a live meeting may have."""

    reason = "LIVE_MEETING_TOO_LONG"
    grpc_status = grpc.StatusCode.OUT_OF_RANGE

    def __init__(self, limit_s: float) -> None:
        super().__init__(
            f"audio: the meeting is longer than this server accepts ({limit_s:.0f} s); finish it",
            limit_s=f"{limit_s:.0f}",
        )


class MeetingOver(MeetraError):
    """The live meeting was finished: no more audio is taken."""

    reason = "MEETING_OVER"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self) -> None:
        super().__init__("The meeting is finished; open a new one")


class HeldByAnotherClient(MeetraError):
    """Somebody else is connected to the live meeting."""

    reason = "HELD_BY_ANOTHER_CLIENT"
    grpc_status = grpc.StatusCode.ABORTED

    def __init__(self) -> None:
        super().__init__("Another client is connected to this meeting; set take_over to replace it")


class TakenOver(MeetraError):
    """Somebody else has taken the live meeting over."""

    reason = "TAKEN_OVER"
    grpc_status = grpc.StatusCode.ABORTED

    def __init__(self) -> None:
        super().__init__("Another client has taken this meeting over")


class TooManyLiveMeetings(MeetraError):
    """The server holds its limit of live meetings."""

    reason = "TOO_MANY_LIVE_MEETINGS"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    retry_after_s = 30

    def __init__(self, limit: int) -> None:
        super().__init__(f"This server holds its limit of {limit} live meetings; try again later", limit=limit)


class AudioNotStored(MeetraError):
    """The disk has no room for the audio of a live meeting; what was not acknowledged must come again."""

    reason = "AUDIO_NOT_STORED"
    grpc_status = grpc.StatusCode.UNAVAILABLE
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("The server's disk is full; send what was not acknowledged again")


class HeldByAnotherServer(MeetraError):
    """Another server process holds the live meeting, or this one stops."""

    reason = "HELD_BY_ANOTHER_SERVER"
    grpc_status = grpc.StatusCode.UNAVAILABLE
    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__("The meeting is in other hands for a moment; connect again")

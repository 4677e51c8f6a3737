"""Errors of live meetings. They end a connection, never the session."""

from __future__ import annotations

import grpc

from server.errors.meetra_error import MeetraError


class SessionNotFound(MeetraError):
    """The caller's organization has no such live session, or none any more.

    Args:
        deleted: the meeting was deleted while the client was connected.
    """

    reason = "SESSION_NOT_FOUND"
    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self, *, deleted: bool = False) -> None:
        super().__init__("The meeting was deleted" if deleted else "Live session not found")


class AudioGap(MeetraError):
    """A chunk starts after the end of its track's received audio."""

    reason = "AUDIO_GAP"
    grpc_status = grpc.StatusCode.OUT_OF_RANGE

    def __init__(self, track_id: str, expected: int, got: int) -> None:
        super().__init__(
            f"audio.first_sample: {got} on track {track_id} leaves a gap; send from {expected}",
            track_id=track_id,
            expected=expected,
            got=got,
        )


class AudioOverlap(MeetraError):
    """A chunk overlaps the end of its track's received audio."""

    reason = "AUDIO_OVERLAP"
    grpc_status = grpc.StatusCode.OUT_OF_RANGE

    def __init__(self, track_id: str, expected: int, first: int, end: int) -> None:
        super().__init__(
            f"audio.first_sample: {first} to {end} on track {track_id} overlaps received audio; send from {expected}",
            track_id=track_id,
            expected=expected,
            got=first,
            end=end,
        )


class LiveMeetingTooLong(MeetraError):
    """The audio exceeds the maximum length of a live meeting."""

    reason = "LIVE_MEETING_TOO_LONG"
    grpc_status = grpc.StatusCode.OUT_OF_RANGE

    def __init__(self, limit_s: float) -> None:
        super().__init__(
            f"audio: the meeting exceeds this server's limit of {limit_s:.0f} s; finish it",
            limit_s=f"{limit_s:.0f}",
        )


class MeetingOver(MeetraError):
    """The live meeting is finished and takes no more audio."""

    reason = "MEETING_OVER"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self) -> None:
        super().__init__("The meeting is finished; open a new one")


class TrackEnded(MeetraError):
    """Audio of a track after its end."""

    reason = "TRACK_ENDED"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self, track_id: str) -> None:
        super().__init__(
            f"audio.track_id: track {track_id} has ended and takes no more audio; add another track", track_id=track_id
        )


class TooManyTracks(MeetraError):
    """A live meeting has had its limit of tracks."""

    reason = "TOO_MANY_TRACKS"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"add_track: a meeting has at most {limit} tracks, with separate channels and ended ones; open another",
            limit=limit,
        )


class TooManyRenames(MeetraError):
    """The tracks of a live meeting were renamed too often."""

    reason = "TOO_MANY_RENAMES"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"rename_track: the meeting's tracks were renamed {limit} times, which is the limit; leave their names",
            limit=limit,
        )


class TrackDiffers(MeetraError):
    """A live meeting has another track of this id."""

    reason = "TRACK_DIFFERS"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self, track_id: str) -> None:
        super().__init__(
            f"add_track.track_id: {track_id} is a track of another kind, format or start; choose another track_id",
            track_id=track_id,
        )


class HeldByAnotherClient(MeetraError):
    """Another client is connected to the live meeting."""

    reason = "HELD_BY_ANOTHER_CLIENT"
    grpc_status = grpc.StatusCode.ABORTED

    def __init__(self) -> None:
        super().__init__("Another client is connected to this meeting; set take_over to replace it")


class TakenOver(MeetraError):
    """Another client has taken the live meeting over."""

    reason = "TAKEN_OVER"
    grpc_status = grpc.StatusCode.ABORTED

    def __init__(self) -> None:
        super().__init__("Another client took over this meeting")


class TooManyLiveMeetings(MeetraError):
    """The server or the organization is at its limit of running live meetings, or of their tracks.

    Args:
        limit: of that scope and unit.
        scope: "server" or "organization".
        unit: "meetings", or "tracks": of all running live meetings of the scope together.
    """

    reason = "TOO_MANY_LIVE_MEETINGS"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    retry_after_s = 30

    def __init__(self, limit: int, scope: str = "server", unit: str = "meetings") -> None:
        what = "running live meetings" if unit == "meetings" else "tracks of running live meetings"
        advice = "try again later" if scope == "server" else "finish a meeting, or try again later"
        super().__init__(
            f"This {scope} has reached its limit of {limit} {what}; {advice}", scope=scope, unit=unit, limit=limit
        )


class AudioNotStored(MeetraError):
    """The disk has no room for live audio; the client must resend what was not acknowledged."""

    reason = "AUDIO_NOT_STORED"
    grpc_status = grpc.StatusCode.UNAVAILABLE
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("The server's disk is full; reconnect and resend the audio that was not acknowledged")


class HeldByAnotherServer(MeetraError):
    """Another server process holds the live meeting, or this one is stopping."""

    reason = "HELD_BY_ANOTHER_SERVER"
    grpc_status = grpc.StatusCode.UNAVAILABLE
    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__("Another server process holds this meeting; reconnect")

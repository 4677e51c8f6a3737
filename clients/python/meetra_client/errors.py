"""What can go wrong, each as a type of its own: nothing here is repeated by itself, and no audio is lost by it.

A type has the name of the server's own for the same failure; meetra/v1/errors.proto says what to do on each, and which
facts it has. ``Unreachable`` and ``AudioLost`` are found by the client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from grpc import StatusCode


class MeetraError(Exception):
    """The server refused, or cannot be had; the message is the server's own where it sent one.

    After every error of a live meeting the session waits for its grace period: resume it by ``MeetraClient.resume``.

    Args:
        message: for people.
        code: the gRPC status; None where the client itself found the fault.
        facts: what the message says of this failure, for programs, as `ErrorInfo.metadata`.
        retry_after_s: how long the server asks to wait, seconds; None where it does not say.
    """

    reason: ClassVar[str] = ""
    """The `ErrorReason` of the failure, without its prefix; empty where none is known."""

    def __init__(
        self,
        message: str,
        code: StatusCode | None = None,
        facts: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.facts, self.retry_after_s = code, dict(facts or {}), retry_after_s


class Unauthenticated(MeetraError):
    """The token is missing, wrong, expired or revoked."""

    reason = "UNAUTHENTICATED"


class InvalidCredentials(MeetraError):
    """The email is unknown, or the password wrong."""

    reason = "INVALID_CREDENTIALS"


class BadRequest(MeetraError):
    """A field of the meeting or a chunk of audio is wrong; the message names field and fix."""

    reason = "BAD_REQUEST"


class UnsupportedContentEncoding(MeetraError):
    """A body is compressed in a way that the server does not read."""

    reason = "UNSUPPORTED_CONTENT_ENCODING"


class StorageFull(MeetraError):
    """The server's disk is full; nothing of the request was stored."""

    reason = "STORAGE_FULL"


class ServiceUnavailable(MeetraError):
    """A part of the server is away for the moment."""

    reason = "SERVICE_UNAVAILABLE"


class InternalError(MeetraError):
    """A fault of the server."""

    reason = "INTERNAL_ERROR"


class MeetingNotFound(MeetraError):
    """No such meeting, or it is another organization's."""

    reason = "MEETING_NOT_FOUND"


class SpeakerNotFound(MeetraError):
    """No such speaker, or another organization's."""

    reason = "SPEAKER_NOT_FOUND"


class VoiceNotFound(MeetraError):
    """No such voice, or another organization's."""

    reason = "VOICE_NOT_FOUND"


class MeetingStillProcessing(MeetraError):
    """The analysis of the meeting is not finished."""

    reason = "MEETING_STILL_PROCESSING"


class MeetingFailed(MeetraError):
    """The analysis of the meeting failed; the message says why."""

    reason = "MEETING_FAILED"


class ChannelsDiffer(MeetraError):
    """The recording is known, analysed with other ``channels`` than it is uploaded with."""

    reason = "CHANNELS_DIFFER"


class FileTooLarge(MeetraError):
    """The recording has more bytes than the server accepts."""

    reason = "FILE_TOO_LARGE"


class RecordingTooLong(MeetraError):
    """The recording lasts longer than the server accepts."""

    reason = "RECORDING_TOO_LONG"


class SessionNotFound(MeetraError):
    """No such session, or it is another organization's."""

    reason = "SESSION_NOT_FOUND"


class AudioGap(MeetraError):
    """Audio leaves a gap after what is known of its track."""

    reason = "AUDIO_GAP"


class AudioOverlap(MeetraError):
    """Audio begins before, and ends after, the end of what is known of its track."""

    reason = "AUDIO_OVERLAP"


class LiveMeetingTooLong(MeetraError):
    """Audio is beyond the longest live meeting; the meeting can still be finished."""

    reason = "LIVE_MEETING_TOO_LONG"


class MeetingOver(MeetraError):
    """The meeting takes no more audio: somebody else finished it, or nobody came back in its grace period.

    ``undelivered`` has, for each track that lost some, how many samples (bytes of OGG_OPUS) came too late.
    """

    reason = "MEETING_OVER"

    def __init__(
        self,
        message: str,
        code: StatusCode | None = None,
        facts: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
        *,
        undelivered: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(message, code, facts, retry_after_s)
        self.undelivered = dict(undelivered or {})


class HeldByAnotherClient(MeetraError):
    """Another client is connected to the session; resume with ``take_over=True`` if that is meant."""

    reason = "HELD_BY_ANOTHER_CLIENT"


class TakenOver(MeetraError):
    """Another client resumed this session and sends its audio now."""

    reason = "TAKEN_OVER"


class TooManyLiveMeetings(MeetraError):
    """The server holds its limit of live meetings; try again later."""

    reason = "TOO_MANY_LIVE_MEETINGS"


class AudioNotStored(MeetraError):
    """The server's disk has no room for the audio; the client sends again what was not acknowledged."""

    reason = "AUDIO_NOT_STORED"


class HeldByAnotherServer(MeetraError):
    """Another server process holds the session, or the server stops; the client connects again."""

    reason = "HELD_BY_ANOTHER_SERVER"


class Unreachable(MeetraError):
    """No connection for the whole patience. The message has the last reason, ``__cause__`` the last error if any."""


class AudioLost(MeetraError):
    """The server asks for audio that it had acknowledged, and that is kept nowhere any more."""


class ConnectionLost(Exception):
    """A connection ended before the meeting did. Never seen outside: the client comes back by itself.

    ``error`` is what the server said, None where it said nothing.
    """

    def __init__(self, message: str, error: MeetraError | None = None) -> None:
        super().__init__(message)
        self.error = error

"""What can go wrong, each as a type of its own: nothing here is repeated by itself, and no audio is lost by it."""

from __future__ import annotations

from grpc import StatusCode
from meetra.v1 import live_pb2


class MeetraError(Exception):
    """The server refused, or cannot be had; the message is the server's own where it sent one.

    ``code`` is the gRPC status, None where the client itself found the fault. After every error
    the session waits for its grace period: resume it by ``MeetraClient.resume``.
    """

    def __init__(self, message: str, code: StatusCode | None = None) -> None:
        super().__init__(message)
        self.code = code


class InvalidRequest(MeetraError):
    """A field of the meeting or a chunk of audio is wrong; the message names field and fix."""


class AudioOutOfRange(MeetraError):
    """Audio leaves a gap, overlaps what is known, or is beyond the longest meeting."""


class SessionNotFound(MeetraError):
    """No such session, or it is another organization's."""


class SessionHeld(MeetraError):
    """Somebody else is connected to the session; resume with ``take_over=True`` if that is meant."""


class TakenOver(MeetraError):
    """Somebody else resumed this session and sends its audio now."""


class MeetingOver(MeetraError):
    """The meeting takes no more audio: somebody else finished it, or nobody came back in its grace period.

    ``undelivered`` has, for each track that lost some, how many samples (bytes of OGG_OPUS) came too late.
    """

    def __init__(self, message: str, undelivered: dict[str, int] | None = None) -> None:
        super().__init__(message, StatusCode.FAILED_PRECONDITION)
        self.undelivered = undelivered or {}


class TooManyMeetings(MeetraError):
    """The server holds its limit of live meetings; try again later."""


class Unauthenticated(MeetraError):
    """The token is missing, wrong or expired, or the password is wrong."""


class Unreachable(MeetraError):
    """The server did not answer for the whole patience; the message has the last reason."""


class AudioLost(MeetraError):
    """The server asks for audio that it had acknowledged, and that is kept nowhere any more."""


class ConnectionLost(Exception):
    """A connection ended before the meeting did. Never seen outside: the client comes back by itself."""

    def __init__(self, reason: str, code: StatusCode | None = None) -> None:
        super().__init__(reason)
        self.code = code


# Of these a new connection may be free. CANCELLED is what proxies make of a peer that went away;
# UNKNOWN is what they make of an answer that is no gRPC.
PASSING = frozenset(
    {
        StatusCode.UNAVAILABLE,
        StatusCode.INTERNAL,
        StatusCode.DEADLINE_EXCEEDED,
        StatusCode.CANCELLED,
        StatusCode.UNKNOWN,
    }
)
_TYPES: dict[StatusCode, type[MeetraError]] = {
    StatusCode.INVALID_ARGUMENT: InvalidRequest,
    StatusCode.OUT_OF_RANGE: AudioOutOfRange,
    StatusCode.NOT_FOUND: SessionNotFound,
    StatusCode.RESOURCE_EXHAUSTED: TooManyMeetings,
    StatusCode.UNAUTHENTICATED: Unauthenticated,
}


def outcome(code: StatusCode, details: str | None, *, was_ready: bool) -> MeetraError | ConnectionLost:
    """What a status means: something that passes, or a refusal. ``was_ready``: whether the session had been ours."""
    text = details or code.name
    if code is StatusCode.OK:
        return ConnectionLost("the stream ended before the meeting did", code)
    if code in PASSING:
        return ConnectionLost(f"{code.name}: {text}", code)
    if code is StatusCode.FAILED_PRECONDITION:
        return MeetingOver(text)
    if code is StatusCode.ABORTED:
        return (TakenOver if was_ready else SessionHeld)(text, code)
    return _TYPES.get(code, MeetraError)(text, code)


def too_late(limits: live_pb2.LiveLimits, undelivered: dict[str, int]) -> MeetingOver:
    """The error of a meeting that was finished while audio of it was still here."""
    text = f"the meeting was finished elsewhere, or by itself after its grace period of {limits.grace_s} s"
    if undelivered:
        text += "; samples that came too late: " + ", ".join(f"{n} of {track!r}" for track, n in undelivered.items())
    return MeetingOver(text, undelivered)

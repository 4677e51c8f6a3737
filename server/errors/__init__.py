"""Every failure that a caller may see: a type that knows its reason, gRPC status, HTTP status, message and facts.

proto/meetra/v1/errors.proto says what a client does about each; ``meetra_client.errors`` has the same names.
"""

from server.errors.calls import (
    BadRequest,
    InternalError,
    InvalidCredentials,
    ServiceUnavailable,
    StorageFull,
    Unauthenticated,
    UnsupportedContentEncoding,
)
from server.errors.live import (
    AudioGap,
    AudioNotStored,
    AudioOverlap,
    HeldByAnotherClient,
    HeldByAnotherServer,
    LiveMeetingTooLong,
    MeetingOver,
    SessionNotFound,
    TakenOver,
    TooManyLiveMeetings,
)
from server.errors.meetings import (
    ChannelsDiffer,
    FileTooLarge,
    MeetingFailed,
    MeetingNotFound,
    MeetingStillProcessing,
    RecordingTooLong,
    SpeakerNotFound,
    VoiceNotFound,
)
from server.errors.meetra_error import MeetraError

__all__ = [
    "AudioGap",
    "AudioNotStored",
    "AudioOverlap",
    "BadRequest",
    "ChannelsDiffer",
    "FileTooLarge",
    "HeldByAnotherClient",
    "HeldByAnotherServer",
    "InternalError",
    "InvalidCredentials",
    "LiveMeetingTooLong",
    "MeetingFailed",
    "MeetingNotFound",
    "MeetingOver",
    "MeetingStillProcessing",
    "MeetraError",
    "RecordingTooLong",
    "ServiceUnavailable",
    "SessionNotFound",
    "SpeakerNotFound",
    "StorageFull",
    "TakenOver",
    "TooManyLiveMeetings",
    "Unauthenticated",
    "UnsupportedContentEncoding",
    "VoiceNotFound",
]

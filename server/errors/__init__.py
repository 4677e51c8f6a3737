"""All failures visible to callers: types with reason, gRPC status, HTTP status, message and facts.

proto/meetra/v1/errors.proto says what clients should do; ``meetra_client.errors`` uses the same names.
"""

from server.errors.calls import (
    BadRequest,
    InternalError,
    QuotaExceeded,
    ServiceUnavailable,
    StorageFull,
    TooManyOpenCalls,
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
    RedactionDiffers,
    SpeakerNotFound,
    VoiceNotFound,
)
from server.errors.meetra_error import MeetraError
from server.errors.users import (
    InvalidCredentials,
    KeyNotFound,
    LastOwner,
    PermissionDenied,
    TooManyKeys,
    TooManyLogins,
    UserNotFound,
)

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
    "KeyNotFound",
    "LastOwner",
    "LiveMeetingTooLong",
    "MeetingFailed",
    "MeetingNotFound",
    "MeetingOver",
    "MeetingStillProcessing",
    "MeetraError",
    "PermissionDenied",
    "QuotaExceeded",
    "RecordingTooLong",
    "RedactionDiffers",
    "ServiceUnavailable",
    "SessionNotFound",
    "SpeakerNotFound",
    "StorageFull",
    "TakenOver",
    "TooManyLiveMeetings",
    "TooManyKeys",
    "TooManyLogins",
    "TooManyOpenCalls",
    "Unauthenticated",
    "UnsupportedContentEncoding",
    "UserNotFound",
    "VoiceNotFound",
]

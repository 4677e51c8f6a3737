"""Live meetings: client connections, durable audio, events, and insights during the meeting."""

from server.live.config import LiveConfig, LiveTrack, TrackKind
from server.live.connection import UNARY_TIMEOUT_S, SenderConnection
from server.live.dependencies import LiveDependencies
from server.live.followed_meeting import FollowedMeeting
from server.live.intake import MAX_CHUNK_BYTES
from server.live.partial_answers import PartialAnswer, PartialAnswers
from server.live.presence import WATCHED_S
from server.live.recording import LiveRecordings, decode_log
from server.live.session import LiveSession
from server.live.session_registry import LiveSessionRegistry, live_file_hash
from server.live.state import LiveState

__all__ = [
    "SenderConnection",
    "MAX_CHUNK_BYTES",
    "FollowedMeeting",
    "LiveConfig",
    "LiveSession",
    "LiveSessionRegistry",
    "LiveDependencies",
    "LiveRecordings",
    "LiveState",
    "LiveTrack",
    "PartialAnswer",
    "PartialAnswers",
    "TrackKind",
    "UNARY_TIMEOUT_S",
    "WATCHED_S",
    "decode_log",
    "live_file_hash",
]

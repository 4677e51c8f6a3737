"""Live meetings: client connections, durable audio, events, and insights during the meeting."""

from server.live.config import MAX_TRACKS, LiveConfig, LiveTrack, TrackKind
from server.live.connection import UNARY_TIMEOUT_S, SenderConnection
from server.live.dependencies import LiveDependencies
from server.live.followed_meeting import FollowedMeeting
from server.live.intake import MAX_CHUNK_BYTES
from server.live.partial_answers import PartialAnswer, PartialAnswers
from server.live.presence import WATCHED_S
from server.live.recording import LiveRecordings, decode_log
from server.live.rules import MAX_PHRASE, MAX_PHRASES, MAX_RULES, LiveRule, RuleKind, rules_from_documents
from server.live.session import LiveSession
from server.live.session_registry import LiveSessionRegistry, live_file_hash
from server.live.spoken_phrases import tokens_of
from server.live.state import LiveState
from server.live.track_keeper import TrackKeeper
from server.live.track_states import track_states

__all__ = [
    "TrackKeeper",
    "SenderConnection",
    "MAX_CHUNK_BYTES",
    "MAX_TRACKS",
    "track_states",
    "FollowedMeeting",
    "LiveConfig",
    "LiveRule",
    "LiveSession",
    "LiveSessionRegistry",
    "LiveDependencies",
    "LiveRecordings",
    "LiveState",
    "LiveTrack",
    "MAX_PHRASE",
    "MAX_PHRASES",
    "MAX_RULES",
    "RuleKind",
    "PartialAnswer",
    "PartialAnswers",
    "TrackKind",
    "UNARY_TIMEOUT_S",
    "WATCHED_S",
    "decode_log",
    "live_file_hash",
    "rules_from_documents",
    "tokens_of",
]

"""Live meetings: client connections, durable audio, events, and insights during the meeting."""

from server.live.config import LiveConfig, Track, TrackKind
from server.live.connection import Connection
from server.live.dependencies import LiveDependencies
from server.live.intake import MAX_CHUNK_BYTES
from server.live.meeting import LiveMeeting
from server.live.meetings import LiveMeetings
from server.live.recording import LiveRecordings
from server.live.state import LiveState

__all__ = [
    "Connection",
    "MAX_CHUNK_BYTES",
    "LiveConfig",
    "LiveMeeting",
    "LiveMeetings",
    "LiveDependencies",
    "LiveRecordings",
    "LiveState",
    "Track",
    "TrackKind",
]

"""The Python client of Meetra: audio of a meeting in, events out, whatever the network does."""

from meetra.v1.live_pb2 import LiveEvent, LiveFinished, LiveReady

from meetra_client.client import MeetraClient
from meetra_client.delivery import Patience
from meetra_client.errors import (
    AudioLost,
    AudioOutOfRange,
    InvalidRequest,
    MeetingOver,
    MeetraError,
    SessionHeld,
    SessionNotFound,
    TakenOver,
    TooManyMeetings,
    Unauthenticated,
    Unreachable,
)
from meetra_client.live_meeting import LiveMeeting
from meetra_client.tracks import MIXED, PARTICIPANT, Encoding, Kind, Track

__all__ = [
    "MIXED",
    "PARTICIPANT",
    "AudioLost",
    "AudioOutOfRange",
    "Encoding",
    "InvalidRequest",
    "Kind",
    "LiveEvent",
    "LiveFinished",
    "LiveMeeting",
    "LiveReady",
    "MeetingOver",
    "MeetraClient",
    "MeetraError",
    "Patience",
    "SessionHeld",
    "SessionNotFound",
    "TakenOver",
    "TooManyMeetings",
    "Track",
    "Unauthenticated",
    "Unreachable",
]

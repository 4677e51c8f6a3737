"""Everything of an organization as one tar archive, made while it is sent."""

from server.export.archive import README, SCHEMA_VERSION
from server.export.meeting_audio import MeetingAudio
from server.export.organization import Documents, MeetingDocuments, OrganizationExport, Progress
from server.export.playback import MEDIA_TYPE, Playable, Playback
from server.export.recordings import SUFFIXES, AudioFile, RecordingChanged, open_track

__all__ = [
    "README",
    "SUFFIXES",
    "SCHEMA_VERSION",
    "AudioFile",
    "Documents",
    "MEDIA_TYPE",
    "MeetingAudio",
    "Playable",
    "Playback",
    "MeetingDocuments",
    "OrganizationExport",
    "Progress",
    "RecordingChanged",
    "open_track",
]

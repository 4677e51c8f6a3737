"""Everything of an organization as one tar archive, made while it is sent."""

from server.export.archive import README, SCHEMA_VERSION
from server.export.meeting_audio import MeetingAudio
from server.export.organization import Documents, MeetingDocuments, OrganizationExport, Progress
from server.export.recordings import RecordingChanged

__all__ = [
    "README",
    "SCHEMA_VERSION",
    "Documents",
    "MeetingAudio",
    "MeetingDocuments",
    "OrganizationExport",
    "Progress",
    "RecordingChanged",
]

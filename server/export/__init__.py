"""Everything of an organization as one tar archive, made while it is sent."""

from server.export.archive import README, SCHEMA_VERSION
from server.export.organization import Documents, OrganizationExport, Progress
from server.export.recordings import RecordingChanged

__all__ = ["README", "SCHEMA_VERSION", "Documents", "OrganizationExport", "Progress", "RecordingChanged"]

"""PostgreSQL storage: one module per table or concept; a transaction sees one organization."""

from server.storage import insights, jobs, keys, live, live_names, meetings, quotas, results, speakers, users, voices
from server.storage.access import UnfitDatabase, check_access
from server.storage.jobs import Job, JobLost
from server.storage.keys import SCOPES, KeyRow, KeyUser
from server.storage.live import LiveRow, MeetingLost, NewEvent
from server.storage.live_names import LiveSpeaker
from server.storage.meetings import JOBS_CHANNEL, MeetingAnswer
from server.storage.migrate import migrate
from server.storage.pool import (
    TRANSIENT_ERRORS,
    Connection,
    Database,
    DatabaseFull,
    DatabaseUnavailable,
    ReferenceDeleted,
    enter_organization,
)
from server.storage.quotas import OrganizationUse
from server.storage.speakers import FoundSpeaker, SpeakerRow, speaker_id
from server.storage.users import ROLES, USERS_CHANNEL, EmailTaken, ListedUser, TokenUser, User
from server.storage.voices import VoiceRow

__all__ = [
    "LiveSpeaker",
    "live_names",
    "insights",
    "jobs",
    "keys",
    "live",
    "meetings",
    "quotas",
    "results",
    "speakers",
    "users",
    "voices",
    "Connection",
    "Database",
    "DatabaseFull",
    "DatabaseUnavailable",
    "EmailTaken",
    "FoundSpeaker",
    "JOBS_CHANNEL",
    "Job",
    "JobLost",
    "KeyRow",
    "KeyUser",
    "ListedUser",
    "LiveRow",
    "MeetingAnswer",
    "MeetingLost",
    "NewEvent",
    "OrganizationUse",
    "ROLES",
    "SCOPES",
    "SpeakerRow",
    "TRANSIENT_ERRORS",
    "TokenUser",
    "ReferenceDeleted",
    "USERS_CHANNEL",
    "UnfitDatabase",
    "User",
    "VoiceRow",
    "check_access",
    "enter_organization",
    "migrate",
    "speaker_id",
]

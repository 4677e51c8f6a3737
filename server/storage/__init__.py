"""PostgreSQL storage: one module per table or concept; a transaction sees one organization."""

from server.storage import (
    audit,
    consents,
    deletions,
    exports,
    external_users,
    insights,
    jobs,
    keys,
    live,
    live_names,
    live_reports,
    live_rules,
    meetings,
    organizations,
    quotas,
    results,
    retention,
    search,
    search_queries,
    session_tokens,
    speakers,
    users,
    voices,
)
from server.storage.access import UnfitDatabase, check_access
from server.storage.audit import AUDIT_ACTIONS, AuditEvent, AuditFilter, AuditPage
from server.storage.consents import NotedConsent
from server.storage.deletions import DeletionRow, NewDeletion, UnfinishedDeletion
from server.storage.exports import ExportedMeeting
from server.storage.jobs import Job, JobLost
from server.storage.keys import SCOPES, KeyRow, KeyUser
from server.storage.live import LiveRow, MeetingLost, NewEvent
from server.storage.live_names import LiveSpeaker
from server.storage.live_reports import HolderReport, RunningMeeting
from server.storage.meetings import JOBS_CHANNEL, ListedMeeting, MeetingAnswer, MeetingState
from server.storage.migrate import migrate, migration_names
from server.storage.organizations import OrganizationRow
from server.storage.pool import (
    TRANSIENT_ERRORS,
    Connection,
    Database,
    DatabaseFull,
    DatabaseUnavailable,
    HeldTransaction,
    ReferenceDeleted,
    enter_organization,
)
from server.storage.quotas import OrganizationUse
from server.storage.results import StoredRedaction
from server.storage.retention import ExpiredPart, MeetingPart
from server.storage.search import SearchSentence
from server.storage.search_filter import SearchFilter
from server.storage.search_queries import Compared, FoundRow, Meant, TermQueries, WordHit
from server.storage.speakers import FoundSpeaker, SpeakerRow, speaker_id
from server.storage.users import ROLES, USERS_CHANNEL, EmailTaken, ListedUser, TokenUser, User
from server.storage.voices import VoiceRow

__all__ = [
    "audit",
    "consents",
    "deletions",
    "exports",
    "external_users",
    "LiveSpeaker",
    "live_names",
    "live_reports",
    "live_rules",
    "insights",
    "jobs",
    "keys",
    "live",
    "meetings",
    "organizations",
    "quotas",
    "results",
    "retention",
    "search",
    "search_queries",
    "session_tokens",
    "speakers",
    "users",
    "voices",
    "AUDIT_ACTIONS",
    "AuditEvent",
    "AuditFilter",
    "AuditPage",
    "Compared",
    "Connection",
    "Database",
    "DatabaseFull",
    "DatabaseUnavailable",
    "DeletionRow",
    "EmailTaken",
    "ExportedMeeting",
    "ExpiredPart",
    "FoundRow",
    "FoundSpeaker",
    "HeldTransaction",
    "HolderReport",
    "JOBS_CHANNEL",
    "Job",
    "JobLost",
    "KeyRow",
    "KeyUser",
    "ListedMeeting",
    "ListedUser",
    "LiveRow",
    "Meant",
    "MeetingAnswer",
    "MeetingLost",
    "MeetingState",
    "MeetingPart",
    "NewDeletion",
    "NewEvent",
    "NotedConsent",
    "OrganizationRow",
    "OrganizationUse",
    "ROLES",
    "RunningMeeting",
    "SCOPES",
    "SearchFilter",
    "SearchSentence",
    "SpeakerRow",
    "StoredRedaction",
    "TRANSIENT_ERRORS",
    "TermQueries",
    "TokenUser",
    "ReferenceDeleted",
    "USERS_CHANNEL",
    "UnfinishedDeletion",
    "UnfitDatabase",
    "User",
    "VoiceRow",
    "WordHit",
    "check_access",
    "enter_organization",
    "migrate",
    "migration_names",
    "speaker_id",
]

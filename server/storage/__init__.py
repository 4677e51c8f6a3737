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
    live_leases,
    live_names,
    live_reports,
    live_rules,
    meeting_lists,
    meeting_scores,
    meetings,
    organizations,
    quotas,
    results,
    retention,
    search,
    search_meaning,
    search_queries,
    search_words,
    session_tokens,
    speakers,
    usage,
    users,
    voices,
    webhook_deliveries,
    webhook_events,
    webhooks,
)
from server.storage.access import UnfitDatabase, check_access
from server.storage.audit import AUDIT_ACTIONS, AuditEvent, AuditFilter, AuditPage
from server.storage.consents import NotedConsent
from server.storage.deletions import DeletionRow, NewDeletion, UnfinishedDeletion
from server.storage.exports import ExportedMeeting
from server.storage.jobs import Job, JobLost, QueueFigures
from server.storage.keys import SCOPES, KeyRow, KeyUser
from server.storage.live import LiveRow, MeetingLost, NewEvent
from server.storage.live_leases import WANTED_CHANNEL, HeldElsewhere, Taker, WantedBy
from server.storage.live_names import LiveSpeaker
from server.storage.live_reports import HolderReport, RunningMeeting
from server.storage.meeting_lists import SORTS, ListedMeeting, MeetingFilter, MeetingOrder, SortKey
from server.storage.meeting_scores import ScoredMeeting, ScoredSpeaker, ScoresFilter
from server.storage.meetings import JOBS_CHANNEL, MeetingAnswer, MeetingState
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
from server.storage.search_newest import MeetingsByAge
from server.storage.search_queries import FoundRow, Meant, TermQueries
from server.storage.search_words import WordHit
from server.storage.speakers import EditRow, FoundSpeaker, SpeakerRow, speaker_id
from server.storage.usage import KeyUse, MonthUse
from server.storage.users import (
    ROLES,
    USERS_CHANNEL,
    EmailTaken,
    ListedUser,
    TokenUser,
    User,
    UserInOrganization,
)
from server.storage.voices import VoiceRow
from server.storage.webhook_deliveries import (
    DELIVERY_STATES,
    DueDelivery,
    DueRound,
    WebhookAttempt,
    WebhookDeliveryRow,
    WebhookLease,
)
from server.storage.webhook_events import EVENT_TYPES, WEBHOOKS_CHANNEL
from server.storage.webhooks import WebhookRow

__all__ = [
    "audit",
    "consents",
    "deletions",
    "exports",
    "external_users",
    "LiveSpeaker",
    "live_leases",
    "live_names",
    "HeldElsewhere",
    "Taker",
    "WantedBy",
    "WANTED_CHANNEL",
    "live_reports",
    "live_rules",
    "meeting_scores",
    "insights",
    "jobs",
    "keys",
    "live",
    "meeting_lists",
    "meetings",
    "organizations",
    "quotas",
    "results",
    "retention",
    "search",
    "search_meaning",
    "search_queries",
    "search_words",
    "session_tokens",
    "speakers",
    "usage",
    "users",
    "voices",
    "webhook_deliveries",
    "webhook_events",
    "webhooks",
    "AUDIT_ACTIONS",
    "ScoredMeeting",
    "ScoredSpeaker",
    "ScoresFilter",
    "AuditEvent",
    "AuditFilter",
    "AuditPage",
    "Connection",
    "DELIVERY_STATES",
    "Database",
    "DatabaseFull",
    "DatabaseUnavailable",
    "DeletionRow",
    "EditRow",
    "DueDelivery",
    "DueRound",
    "EVENT_TYPES",
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
    "KeyUse",
    "KeyUser",
    "ListedMeeting",
    "ListedUser",
    "LiveRow",
    "Meant",
    "MeetingAnswer",
    "MeetingFilter",
    "MeetingLost",
    "MeetingOrder",
    "MeetingState",
    "MeetingsByAge",
    "MeetingPart",
    "MonthUse",
    "NewDeletion",
    "NewEvent",
    "NotedConsent",
    "QueueFigures",
    "OrganizationRow",
    "OrganizationUse",
    "ROLES",
    "RunningMeeting",
    "SCOPES",
    "SearchFilter",
    "SearchSentence",
    "SORTS",
    "SortKey",
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
    "UserInOrganization",
    "VoiceRow",
    "WordHit",
    "WEBHOOKS_CHANNEL",
    "WebhookAttempt",
    "WebhookDeliveryRow",
    "WebhookLease",
    "WebhookRow",
    "check_access",
    "enter_organization",
    "migrate",
    "migration_names",
    "speaker_id",
]

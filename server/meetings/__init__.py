"""Uploaded recordings: reception, the job queue's worker, speaker corrections and deletion."""

from server.meetings.completion import run_to_completion
from server.meetings.content_encoding import decompress_body
from server.meetings.corrections import Corrections
from server.meetings.decoded_files import DecodedFiles
from server.meetings.deletion import Deletion
from server.meetings.job_runner import JobRunner
from server.meetings.meeting_consents import MeetingConsents
from server.meetings.retention import Retention
from server.meetings.stated_language import parse_language
from server.meetings.upload import UploadChunk, UploadLimits, Uploads
from server.meetings.upload_allowance import UploadAllowances, require_room_for_live_meeting
from server.meetings.upload_fields import MAX_KEY_TERM, MAX_NAME, deduplicate_terms, validate_details, validate_name
from server.meetings.worker import Worker

__all__ = [
    "run_to_completion",
    "Corrections",
    "DecodedFiles",
    "Deletion",
    "JobRunner",
    "MAX_KEY_TERM",
    "MAX_NAME",
    "MeetingConsents",
    "Retention",
    "UploadAllowances",
    "UploadChunk",
    "UploadLimits",
    "Uploads",
    "Worker",
    "validate_details",
    "validate_name",
    "deduplicate_terms",
    "parse_language",
    "decompress_body",
    "require_room_for_live_meeting",
]

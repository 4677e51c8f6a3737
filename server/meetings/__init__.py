"""Uploaded recordings: reception, the job queue's worker, speaker corrections and deletion."""

from server.meetings.completion import run_to_completion
from server.meetings.content_encoding import decompress_body
from server.meetings.corrected_text import MAX_SENTENCE_TEXT
from server.meetings.corrections import CorrectedSentence, Corrections
from server.meetings.decoded_files import DecodedFiles
from server.meetings.deletion import Deletion
from server.meetings.job_runner import JobRunner
from server.meetings.meeting_consents import MeetingConsents
from server.meetings.resumable_uploads import Progress, ResumableUploads
from server.meetings.retention import Retention
from server.meetings.stated_language import parse_language
from server.meetings.upload import UploadChunk, UploadForm, UploadLimits, Uploads
from server.meetings.upload_allowance import UploadAllowances, require_room_for_live_meeting
from server.meetings.upload_body import TEXT_FIELDS, media_type_of
from server.meetings.upload_fields import MAX_KEY_TERM, MAX_NAME, deduplicate_terms, validate_details, validate_name
from server.meetings.worker import Worker

__all__ = [
    "run_to_completion",
    "CorrectedSentence",
    "Corrections",
    "DecodedFiles",
    "Deletion",
    "JobRunner",
    "MAX_KEY_TERM",
    "MAX_NAME",
    "MAX_SENTENCE_TEXT",
    "MeetingConsents",
    "Progress",
    "ResumableUploads",
    "Retention",
    "TEXT_FIELDS",
    "UploadAllowances",
    "UploadChunk",
    "UploadForm",
    "UploadLimits",
    "Uploads",
    "Worker",
    "validate_details",
    "validate_name",
    "deduplicate_terms",
    "parse_language",
    "decompress_body",
    "media_type_of",
    "require_room_for_live_meeting",
]

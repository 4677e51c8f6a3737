"""Uploaded recordings: reception, the job queue's worker, speaker corrections and deletion."""

from server.meetings.content_encoding import unpacked
from server.meetings.corrections import Corrections
from server.meetings.deletion import Deletion
from server.meetings.job_runner import JobRunner
from server.meetings.upload import UploadPiece, Uploads
from server.meetings.upload_fields import MAX_KEY_TERM, MAX_NAME, checked_details, checked_name, distinct
from server.meetings.worker import Worker

__all__ = [
    "Corrections",
    "Deletion",
    "JobRunner",
    "MAX_KEY_TERM",
    "MAX_NAME",
    "UploadPiece",
    "Uploads",
    "Worker",
    "checked_details",
    "checked_name",
    "distinct",
    "unpacked",
]

"""The states of a meeting, and which may follow which."""

from __future__ import annotations

from enum import StrEnum


class MeetingStatus(StrEnum):
    """Where a meeting is on its way from bytes to answers."""

    RECEIVING = "receiving"
    QUEUED = "queued"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class Stage(StrEnum):
    """What is being done for a meeting."""

    RECEIVING = "receiving"
    WAITING = "waiting"
    DECODING = "decoding"
    ANALYSING = "analysing"
    CLUSTERING = "clustering"
    READING = "reading"
    STORING = "storing"
    DONE = "done"


MAY_FOLLOW: dict[MeetingStatus, frozenset[MeetingStatus]] = {
    MeetingStatus.RECEIVING: frozenset({MeetingStatus.QUEUED}),
    # A queued meeting fails when its last permitted analysis had crashed.
    MeetingStatus.QUEUED: frozenset({MeetingStatus.PROCESSING, MeetingStatus.FAILED}),
    # Back to the queue: the worker stopped, or the analysis broke and is tried again.
    MeetingStatus.PROCESSING: frozenset({MeetingStatus.QUEUED, MeetingStatus.READY, MeetingStatus.FAILED}),
    MeetingStatus.READY: frozenset(),
    # Queued again when its recording is uploaded again.
    MeetingStatus.FAILED: frozenset({MeetingStatus.QUEUED}),
}
"""Which states may follow which. The database refuses every other change, by a trigger of ``meetings``."""

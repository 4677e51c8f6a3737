"""The states of a meeting and their allowed transitions."""

from __future__ import annotations

from enum import StrEnum


class MeetingStatus(StrEnum):
    """The status of a meeting."""

    RECEIVING = "receiving"
    QUEUED = "queued"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class Stage(StrEnum):
    """The current stage of a meeting's processing."""

    RECEIVING = "receiving"
    WAITING = "waiting"
    DECODING = "decoding"
    ANALYSING = "analysing"
    CLUSTERING = "clustering"
    READING = "reading"
    STORING = "storing"
    DONE = "done"


ALLOWED_TRANSITIONS: dict[MeetingStatus, frozenset[MeetingStatus]] = {
    MeetingStatus.RECEIVING: frozenset({MeetingStatus.QUEUED}),
    # A queued meeting fails if its last allowed attempt crashed, or its job is damaged.
    MeetingStatus.QUEUED: frozenset({MeetingStatus.PROCESSING, MeetingStatus.FAILED}),
    # It is queued again if the worker stops, or the analysis breaks and is retried.
    MeetingStatus.PROCESSING: frozenset({MeetingStatus.QUEUED, MeetingStatus.READY, MeetingStatus.FAILED}),
    MeetingStatus.READY: frozenset(),
    # It is queued again when its recording is uploaded again.
    MeetingStatus.FAILED: frozenset({MeetingStatus.QUEUED}),
}
"""Allowed transitions. A trigger on ``meetings`` makes the database refuse all others."""

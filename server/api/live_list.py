"""Running live meetings as messages: what is stored of them, with what their holders report."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from meetra.v1 import live_pb2 as pb

from server.live import LiveConfig, track_states
from server.moments import utc_text
from server.storage import RunningMeeting, speaker_id

MAX_MS = 2**31 - 1


def running_message(meeting: RunningMeeting) -> pb.LiveMeeting:
    """Return a running meeting as lists show it."""
    config, report = LiveConfig.from_document(meeting.config), meeting.report or {}
    return pb.LiveMeeting(
        session_id=str(meeting.id),
        file_hash=meeting.file_hash,
        name=meeting.name,
        date=meeting.held_on or utc_text(meeting.created_at),
        state="finishing" if meeting.finished else "open",
        opened_at=utc_text(meeting.created_at),
        running_ms=_milliseconds(meeting.running_s),
        tracks=[_track(meeting, state, report.get("tracks", {})) for state in track_states(config)],
        speakers=_speakers(meeting.id, report),
        lag_ms=report.get("lag_ms"),
        words_lag_ms=report.get("words_lag_ms"),
        client_connected=report.get("connected"),
        report_age_ms=None if meeting.report_age_s is None else _milliseconds(meeting.report_age_s),
    )


def _milliseconds(seconds: float) -> int:
    return min(MAX_MS, max(0, round(seconds * 1000)))


def _speakers(meeting_id: UUID, report: dict[str, Any]) -> list[pb.LiveMeetingSpeaker]:
    return [
        pb.LiveMeetingSpeaker(speaker_id=str(speaker_id(meeting_id, number)), alias=alias)
        for number, alias in report.get("speakers", ())
    ]


def _track(
    meeting: RunningMeeting, state: pb.LiveTrackState, reported: dict[str, dict[str, Any]]
) -> pb.LiveMeetingTrack:
    # A track that was added since the last report is not in it.
    known = reported.get(state.track_id, {})
    quiet_s, reported_at = known.get("quiet_s"), meeting.reported_at
    last_audio = None if quiet_s is None or reported_at is None else reported_at - timedelta(seconds=quiet_s)
    return pb.LiveMeetingTrack(track=state, next_sample=known.get("next_sample"), last_audio_at=utc_text(last_audio))

"""What a process reports of the live meetings that it holds, for lists that any process answers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from server.live.session import LiveSession
from server.live.state import LiveState
from server.storage import Database, HolderReport, live_reports

REPORT_EVERY_S = 4.0


class HolderReports:
    """Report of all meetings of a process in one statement, at a modest pace."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next_at = 0.0
        self._heard: dict[tuple[UUID, str], tuple[int, float | None]] = {}
        """By meeting and source: the last known position, and when it changed by the monotonic clock, if it has."""

    async def write(self, held: Iterable[LiveSession]) -> None:
        """Report of the running ones, if a report is due, and learn who watches them in other processes.

        Raises DatabaseUnavailable.
        """
        now = time.monotonic()
        if now < self._next_at:
            return
        self._next_at = now + REPORT_EVERY_S
        running = {meeting.row.meeting_id: meeting for meeting in held if meeting.running}
        self._heard = {key: heard for key, heard in self._heard.items() if key[0] in running}
        if not running:
            return
        reports = [HolderReport(id_, m.row.fence, self._document(m, now)) for id_, m in running.items()]
        unwatched = await self._database.run(lambda connection: live_reports.report(connection, reports))
        for id_, seconds in unwatched.items():
            if seconds is not None:
                running[id_].presence.watched_elsewhere(seconds)

    def _document(self, meeting: LiveSession, now: float) -> dict[str, Any]:
        document = {
            "speakers": [[number, alias] for number, alias in meeting.turns.speakers().items()],
            "connected": not meeting.sender_slot.absent_s(),
            "tracks": {
                log.track.track_id: {
                    "next_sample": log.committed,
                    "quiet_s": self._quiet_s(meeting, log.track.track_id, log.committed, now),
                }
                for log in meeting.audio.logs
            },
        }
        if meeting.state is LiveState.OPEN:
            document.update(lag_ms=meeting.tracks.lag_ms(), words_lag_ms=meeting.tracks.words_lag_ms())
        return document

    def _quiet_s(self, meeting: LiveSession, track_id: str, position: int, now: float) -> float | None:
        """Return for how many seconds no audio of a source has come; None where none has since it was acquired."""
        key = meeting.row.meeting_id, track_id
        # What a meeting has when it is seen first came since it was opened, unless another process held it before.
        first = 0 if meeting.row.fence == 1 else position
        known, changed_at = self._heard.get(key, (first, None))
        if position != known:
            changed_at = now
        self._heard[key] = position, changed_at
        return None if changed_at is None else round(now - changed_at, 1)

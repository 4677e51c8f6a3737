"""What a process reports of the live meetings that it holds, for lists that any process answers.

A report renews the leases of the meetings, and tells which of them are wanted elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from server.live.lease import RENEWALS_PER_LEASE
from server.live.session import LiveSession
from server.live.state import LiveState
from server.storage import Database, HolderReport, WantedBy, live_reports

REPORT_EVERY_S = 4.0


class HolderReports:
    """Report of all meetings of a process in one statement, at a modest pace."""

    def __init__(self, database: Database, lease_s: float) -> None:
        """``lease_s``: for how long a report keeps the meetings for this process, seconds."""
        self._database, self._lease_s = database, lease_s
        self._next_at = 0.0
        self._heard: dict[tuple[UUID, str], tuple[int, float | None]] = {}
        """By meeting and source: the last known position, and when it changed by the monotonic clock, if it has."""

    def report_now(self) -> None:
        """Make a report due."""
        self._next_at = 0.0

    async def write(self, held: Iterable[LiveSession]) -> list[LiveSession]:
        """Report of the running ones, if a report is due, and learn who watches them in other processes.

        Returns those to let go of, because their clients have come to other processes. Raises DatabaseUnavailable.
        """
        now = time.monotonic()
        if now < self._next_at:
            return []
        self._next_at = now + min(REPORT_EVERY_S, self._lease_s / RENEWALS_PER_LEASE)
        running = {meeting.row.meeting_id: meeting for meeting in held if meeting.running}
        self._heard = {key: heard for key, heard in self._heard.items() if key[0] in running}
        if not running:
            return []
        reports = [HolderReport(id_, m.row.fence, self._document(m, now)) for id_, m in running.items()]
        told = await self._database.run(lambda connection: live_reports.report(connection, reports, self._lease_s))
        for id_, learnt in told.items():
            if learnt.unwatched_s is not None:
                running[id_].presence.watched_elsewhere(learnt.unwatched_s)
        return [running[id_] for id_, learnt in told.items() if _is_let_go(running[id_], learnt.wanted_by)]

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


def _is_let_go(meeting: LiveSession, wanted_by: WantedBy) -> bool:
    """Return whether a meeting is better held where its client is. One that ends is ended here."""
    if meeting.state is not LiveState.OPEN or wanted_by is WantedBy.NOBODY:
        return False
    if wanted_by is WantedBy.REPLACING_CLIENT or meeting.sender_slot.absent_s() > 0:
        return True
    return wanted_by is WantedBy.ITS_CLIENT and not meeting.sender_slot.streams

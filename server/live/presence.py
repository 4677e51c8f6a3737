"""Whether anybody attends a live meeting: who sends, who watches, who controls it."""

from __future__ import annotations

import time

from server.live.connection import SenderSlot
from server.live.event_log import EventLog

# Watching alone keeps a meeting for this long; limits.watched_s of live.proto.
WATCHED_S = 3600.0
# A meeting that nobody attends is warned of this long before its end, or after half of a shorter grace period.
ENDING_WARNING_S = 30.0
# Watchers of other processes are known from what those store: a watcher this long ago may be there still.
ELSEWHERE_FRESH_S = 12.0


class Presence:
    """Tell for how long nobody has attended a meeting."""

    def __init__(self, sender: SenderSlot, events: EventLog) -> None:
        self._sender, self._events = sender, events
        self._watched_elsewhere_at: float | None = None

    def watched_elsewhere(self, seconds_ago: float) -> None:
        """Record that somebody watched the meeting in another process, so many seconds ago."""
        self._watched_elsewhere_at = time.monotonic() - seconds_ago

    def _unwatched_s(self) -> float:
        if self._events.listeners:
            return 0.0
        now = time.monotonic()
        unwatched = now - self._events.unwatched_since
        if self._watched_elsewhere_at is None:
            return unwatched
        elsewhere = now - self._watched_elsewhere_at
        return min(unwatched, 0.0 if elsewhere < ELSEWHERE_FRESH_S else elsewhere)

    def absent_s(self) -> float:
        """Return the seconds since anybody last sent, watched or controlled; 0 while somebody does.

        Watchers count until ``WATCHED_S`` after the last of sending and control.
        """
        without_sender = self._sender.absent_s()
        if not without_sender:
            return 0.0
        return max(min(without_sender, self._unwatched_s()), without_sender - WATCHED_S)

    def attended(self) -> bool:
        """Return whether anybody listens, or sent something within the last 10 s (a stream: is connected)."""
        return self._events.listeners > 0 or not self._sender.absent_s()

    def abandoned(self, grace_s: float) -> bool:
        """Return whether nobody has attended the meeting for its grace period."""
        return self.absent_s() > grace_s

    def ending(self, grace_s: float) -> bool:
        """Return whether the meeting ends soon because nobody attends it."""
        return self.absent_s() > grace_s - min(ENDING_WARNING_S, grace_s / 2)

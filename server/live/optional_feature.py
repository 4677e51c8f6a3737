"""Features that a live meeting can do without: one that fails is switched off, and the meeting goes on."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from meetra.v1 import live_pb2 as pb

from server.storage import DatabaseUnavailable, MeetingLost

log = logging.getLogger(__name__)


class OptionalFeature:
    """A feature of one meeting in this process: after its first failure it is not used any more."""

    def __init__(self, name: str, meeting: object) -> None:
        """``name`` and ``meeting``: for the log."""
        self._name, self._meeting = name, meeting
        self.is_off = False

    def do(self, work: Callable[[], None]) -> None:
        """Do ``work``, unless the feature is off."""
        if not self.is_off:
            try:
                work()
            except Exception:
                self._switch_off()

    def tell(self, work: Callable[[], list[pb.LiveEvent]]) -> list[pb.LiveEvent]:
        """Return the events that ``work`` returns; none where it fails, or the feature is off."""
        events: list[pb.LiveEvent] = []
        self.do(lambda: events.extend(work()))
        return events

    async def find(self, work: Callable[[], Awaitable[list[pb.LiveEvent]]]) -> list[pb.LiveEvent]:
        """As ``tell``, for work that takes time. Raises MeetingLost, DatabaseUnavailable: these concern the meeting."""
        if self.is_off:
            return []
        try:
            return await work()
        except (MeetingLost, DatabaseUnavailable):
            raise
        except Exception:
            self._switch_off()
            return []

    def _switch_off(self) -> None:
        self.is_off = True
        log.exception("live meeting %s: %s failed; the meeting goes on without", self._meeting, self._name)

"""Equal events become one row with a count, so that nobody fills the disk by doing the same again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from server.storage import AuditEvent

WINDOW = timedelta(minutes=1)
# Of events that are not written singly, because the organization has had so many today.
LONG_WINDOW = timedelta(hours=1)
MAX_WINDOWS = 10_000


@dataclass(slots=True)
class _Window:
    """An event that was written, and its repetitions, which were not."""

    opened_at: datetime
    length: timedelta
    repetition: AuditEvent | None = None
    """The first one, with the number of all and the time of the last."""


def without_details(event: AuditEvent) -> AuditEvent:
    """Return the event as one of many that are only counted: who did how much of what kind."""
    return replace(
        event, method="*", object_kind="", object_id="", address="", request_id="", status="*", begun_id=None
    )


class Repeats:
    """What happened within the last minute, by what makes events equal."""

    def __init__(self, most: int = MAX_WINDOWS) -> None:
        self._windows: OrderedDict[Hashable, _Window] = OrderedDict()
        self._most = most

    def add(self, event: AuditEvent, length: timedelta = WINDOW) -> list[AuditEvent]:
        """Take an event in, and return what is to be written because of it: itself, unless it repeats another.

        Args:
            length: for how long equal events are counted with this one.
        """
        key = _key(event)
        window = self._windows.get(key)
        if window is not None and event.happened_at - window.opened_at < window.length:
            first = window.repetition
            window.repetition = (
                replace(first, count=first.count + event.count, last_at=event.happened_at) if first else event
            )
            return []
        written = self._close(key)
        self._windows[key] = _Window(event.happened_at, length)
        while len(self._windows) > self._most:
            written += self._close(next(iter(self._windows)))
        return [*written, event]

    def take_ended(self, now: datetime) -> list[AuditEvent]:
        """Return the counted repetitions of events whose time is over."""
        over = [key for key, window in self._windows.items() if now - window.opened_at >= window.length]
        return [event for key in over for event in self._close(key)]

    def take_all(self) -> list[AuditEvent]:
        """Return all repetitions, and forget every event."""
        return [event for key in list(self._windows) for event in self._close(key)]

    def _close(self, key: Hashable) -> list[AuditEvent]:
        window = self._windows.pop(key, None)
        return [window.repetition] if window is not None and window.repetition is not None else []


def _key(event: AuditEvent) -> Hashable:
    return (
        *(event.organization_id, event.actor, event.user_id, event.key_id, event.method, event.action),
        *(event.object_kind, event.object_id, event.address, event.status, event.begun_id),
    )

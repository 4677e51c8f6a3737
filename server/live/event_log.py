"""The event log of one live meeting: events are numbered and stored before listeners see them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from itertools import islice

from google.protobuf.json_format import MessageToDict
from meetra.v1 import live_pb2 as pb

from server.storage import Database, LiveRow, NewEvent, live

# How long the database may be unreachable before this process gives the meeting up. Its audio is on disk meanwhile.
PATIENCE_S = 300.0
MAX_RECENT_EVENTS = 1000
READ_LIMIT = 500


class EventLog:
    """Append and read events; ``listen`` signals new ones."""

    def __init__(self, database: Database, row: LiveRow, last_seq: int) -> None:
        """
        Args:
            row: the meeting as its holder acquired it; appends with an outdated fence raise MeetingLost.
            last_seq: ``event_seq`` of the last stored event.
        """
        self._database, self._row = database, row
        self._recent: deque[tuple[int, pb.LiveEvent]] = deque(maxlen=MAX_RECENT_EVENTS)
        self.last_seq = last_seq
        self._appending = asyncio.Lock()
        self._listeners: set[asyncio.Event] = set()
        self.unwatched_since = time.monotonic()
        """When the last listener left, by the monotonic clock."""

    async def append(self, events: Sequence[pb.LiveEvent]) -> None:
        """Number and store events, then wake the listeners. Raises MeetingLost or DatabaseUnavailable."""
        if not events:
            return
        async with self._appending:
            numbered = []
            for number, event in enumerate(events, start=self.last_seq + 1):
                event.event_seq = number
                numbered.append(_new_event(event))
            await self._database.run(
                partial(live.append_events, meeting_id=self._row.meeting_id, fence=self._row.fence, events=numbered),
                organization_id=self._row.organization_id,
                patience_s=PATIENCE_S,
            )
            self._recent.extend((event.event_seq, event) for event in events)
            self.last_seq = events[-1].event_seq
        self.wake()

    async def refresh(self) -> None:
        """Take notice of the events that another process, which holds the meeting, has stored; wake the listeners.

        Raises DatabaseUnavailable.
        """
        while found := await read_events(self._database, self._row, self.last_seq):
            if any(event.left_out for event in found):
                # What was left out differs by where a reader stands: each reads for itself.
                self._recent.clear()
            else:
                self._recent.extend((event.event_seq, event) for event in found)
            self.last_seq = found[-1].event_seq
            self.wake()

    async def after(self, event_seq: int) -> list[pb.LiveEvent]:
        """Return up to 500 events after ``event_seq``, oldest first; empty if there are none yet."""
        if event_seq >= self.last_seq:
            return []
        if self._recent and self._recent[0][0] <= event_seq + 1:
            skipped = event_seq + 1 - self._recent[0][0]
            return [event for _, event in islice(self._recent, skipped, skipped + READ_LIMIT)]
        return await read_events(self._database, self._row, event_seq)

    def listen(self, wake: asyncio.Event) -> None:
        """Set ``wake`` on every new event or state change, until ``forget``."""
        self._listeners.add(wake)

    def forget(self, wake: asyncio.Event) -> None:
        """Stop setting ``wake``."""
        self._listeners.discard(wake)
        if not self._listeners:
            self.unwatched_since = time.monotonic()

    @property
    def listeners(self) -> int:
        """Number of current listeners."""
        return len(self._listeners)

    def wake(self) -> None:
        """Wake all listeners."""
        for listener in self._listeners:
            listener.set()


def _new_event(event: pb.LiveEvent) -> NewEvent:
    kind = event.WhichOneof("event")
    segment = event.turn.segment_id if kind == "turn" else None
    alert = MessageToDict(event.alert, always_print_fields_with_no_presence=True) if kind == "alert" else None
    return NewEvent(event.event_seq, segment, event.SerializeToString(), alert)


async def read_events(database: Database, row: LiveRow, event_seq: int) -> list[pb.LiveEvent]:
    """Return up to 500 stored events after ``event_seq``, each with the number left out before it.

    Raises DatabaseUnavailable.
    """
    payloads = await database.run(
        partial(live.events_after, meeting_id=row.meeting_id, event_seq=event_seq, limit=READ_LIMIT),
        organization_id=row.organization_id,
        patience_s=60,
    )
    events = [pb.LiveEvent.FromString(payload) for payload in payloads]
    for event in events:
        event.left_out = event.event_seq - event_seq - 1
        event_seq = event.event_seq
    return events

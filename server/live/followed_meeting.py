"""Watching a live meeting that another process holds: its stored events are read as they come."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

from server.errors import HeldByAnotherServer, MeetraError, SessionNotFound
from server.live.event_log import EventLog
from server.live.state import LiveState
from server.storage import Database, DatabaseUnavailable, LiveRow, live, live_reports

log = logging.getLogger(__name__)
# How often new events are looked for, and the meeting's state.
EVENTS_EVERY_S = 0.5
STATE_EVERY_S = 3.0
# A holder that has not reported for so long is gone: several of its reports are missing.
HOLDER_GONE_S = 15.0
# How long a meeting that nobody watches any more is followed: watchers come again.
UNWATCHED_S = 10.0

TakeUp = Callable[[LiveRow], Awaitable[object]]


class FollowedMeeting:
    """A meeting that another process holds; one reader of the database for all watchers of this process."""

    def __init__(self, database: Database, row: LiveRow, last_seq: int, take_up: TakeUp) -> None:
        """
        Args:
            last_seq: ``event_seq`` of the last stored event.
            take_up: makes this process the holder; raises HeldByAnotherServer while another is.
        """
        self.row = row
        self.events = EventLog(database, row, last_seq)
        self.state = LiveState.OPEN
        self.failure: MeetraError = HeldByAnotherServer()
        """Why the meeting is no longer followed, once ``lost``."""
        self._database, self._take_up = database, take_up
        self._holder_seen_at = time.monotonic()

    @property
    def lost(self) -> bool:
        """Whether the meeting is no longer followed."""
        return self.state is LiveState.LOST

    def end(self, failure: MeetraError) -> None:
        """Stop following; watchers are told ``failure``."""
        self.state, self.failure = LiveState.LOST, failure
        self.events.wake()

    async def follow(self) -> None:
        """Follow until the meeting is concluded, lost, or unwatched for a while."""
        state_at = 0.0
        try:
            while self._is_watched():
                try:
                    await self.events.refresh()
                    if time.monotonic() >= state_at:
                        state_at = time.monotonic() + STATE_EVERY_S
                        await self._look()
                except DatabaseUnavailable:
                    # Its holder could report nothing either.
                    self._holder_seen_at = time.monotonic()
                if self.state is not LiveState.OPEN:
                    return
                await asyncio.sleep(EVENTS_EVERY_S)
        finally:
            if self.state is LiveState.OPEN:
                # Somebody who comes at this moment comes again.
                self.end(HeldByAnotherServer())

    def _is_watched(self) -> bool:
        return self.events.listeners > 0 or time.monotonic() - self.events.unwatched_since < UNWATCHED_S

    async def _look(self) -> None:
        """Look at the meeting's state, and tell its holder whether somebody watches."""
        look = partial(
            live_reports.watch,
            organization_id=self.row.organization_id,
            meeting_id=self.row.meeting_id,
            attended=self.events.listeners > 0,
        )
        found = await self._database.run(look, organization_id=self.row.organization_id)
        if found is None:
            self.end(SessionNotFound(deleted=True))
        elif found.concluded:
            await self.events.refresh()
            self.state = LiveState.CONCLUDED
            self.events.wake()
        elif found.report_age_s is not None and found.report_age_s < HOLDER_GONE_S:
            self._holder_seen_at = time.monotonic()
        elif time.monotonic() - self._holder_seen_at >= HOLDER_GONE_S:
            await self._succeed_holder()

    async def _succeed_holder(self) -> None:
        try:
            await self._take_up(self.row)
        except MeetraError as error:
            log.info("live meeting %s is not taken up: %s", self.row.meeting_id, error)
            return
        # Watchers who come again find it held here.
        self.end(HeldByAnotherServer())


class FollowedMeetings:
    """The meetings that this process follows."""

    def __init__(self, database: Database, take_up: TakeUp) -> None:
        self._database, self._take_up = database, take_up
        self._followed: dict[UUID, tuple[FollowedMeeting, asyncio.Task[None]]] = {}

    async def follow(self, row: LiveRow) -> FollowedMeeting:
        """Return a meeting to watch, followed until nobody does. Raises DatabaseUnavailable."""
        if (meeting := self._known(row)) is None:
            last = partial(live.last_event_seq, meeting_id=row.meeting_id)
            last_seq = await self._database.run(last, organization_id=row.organization_id)
            if (meeting := self._known(row)) is None:
                meeting = FollowedMeeting(self._database, row, last_seq, self._take_up)
                following = asyncio.create_task(meeting.follow(), name=f"follow {row.meeting_id}")
                following.add_done_callback(partial(self._forget, meeting))
                self._followed[row.meeting_id] = meeting, following
        return meeting

    def _known(self, row: LiveRow) -> FollowedMeeting | None:
        meeting, _ = self._followed.get(row.meeting_id, (None, None))
        return meeting if meeting is not None and not meeting.lost else None

    def _forget(self, meeting: FollowedMeeting, following: asyncio.Task[None]) -> None:
        if self._followed.get(meeting.row.meeting_id, (None, None))[0] is meeting:
            del self._followed[meeting.row.meeting_id]
        if not following.cancelled() and (error := following.exception()) is not None:
            log.error("following live meeting %s failed", meeting.row.meeting_id, exc_info=error)

    async def close(self) -> None:
        """Stop; watchers are told to connect again."""
        followed, self._followed = list(self._followed.values()), {}
        for _, following in followed:
            following.cancel()
        await asyncio.gather(*(following for _, following in followed), return_exceptions=True)

"""All live meetings held by this process: opened, resumed, supervised and released."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import defaultdict
from contextlib import suppress
from functools import partial
from uuid import UUID, uuid4

from server.auth import Caller
from server.disk import DiskFull
from server.errors import AudioNotStored, HeldByAnotherServer, SessionNotFound, TooManyLiveMeetings
from server.live.config import LiveConfig
from server.live.dependencies import LiveDependencies
from server.live.meeting import LiveMeeting
from server.live.state import LiveState
from server.live.track_log import HeldElsewhere
from server.storage import DatabaseGone, LiveRow, MeetingLost, live, meetings

log = logging.getLogger(__name__)
LOOK_EVERY_S = 2.0
# Longer than the longest pause between two attempts to reach the engine.
ENGINE_WAIT_S = 3.0


def live_file_hash(meeting_id: UUID) -> str:
    """Return the hash that names a live meeting: derived from its id, so unique and known from the start."""
    return hashlib.sha256(b"meetra live meeting " + meeting_id.bytes).hexdigest()


class LiveMeetings:
    """Registry of the live meetings held by this process."""

    def __init__(self, parts: LiveDependencies) -> None:
        self._parts = parts
        self._held: dict[UUID, LiveMeeting] = {}
        self._taking_up: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._stopping = False

    async def open(self, config: LiveConfig, caller: Caller) -> LiveMeeting:
        """Open a new meeting. Raises TooManyLiveMeetings, DatabaseGone, DiskFull; on failure no meeting remains."""
        limit = self._parts.settings.live_max_meetings
        if sum(meeting.state is LiveState.OPEN for meeting in self._held.values()) >= limit:
            raise TooManyLiveMeetings(limit)
        id_ = uuid4()
        row = LiveRow(
            meeting_id=id_,
            organization_id=caller.organization_id,
            user_id=caller.user_id,
            file_hash=live_file_hash(id_),
            status="receiving",
            config=config.to_document(),
            fence=0,
            owner=0,
            finished=False,
            concluded=False,
            ignored_tracks=(),
        )
        create = partial(
            live.create,
            row=row,
            name=config.name,
            held_on=config.held_on,
            n_speakers=config.n_speakers,
            language=config.language,
            key_terms=config.session_terms(),
        )
        await self._parts.database.run(create)
        try:
            return await self._take_up(row)
        except DiskFull:
            # No client knows of the meeting yet.
            forget = partial(meetings.delete, organization_id=row.organization_id, file_hash=row.file_hash)
            await self._parts.database.run(forget)
            raise

    async def find(self, session_id: UUID, caller: Caller) -> LiveMeeting:
        """Return a meeting of the caller's organization, acquiring it unless this process holds it already.

        Raises SessionNotFound, HeldByAnotherServer, AudioNotStored, DatabaseGone.
        """
        look = partial(live.find, organization_id=caller.organization_id, meeting_id=session_id)
        row = await self._parts.database.read(look)
        if row is None:
            raise SessionNotFound
        try:
            return await self._take_up(row)
        except DiskFull:
            raise AudioNotStored from None

    async def _take_up(self, row: LiveRow) -> LiveMeeting:
        async with self._taking_up[row.meeting_id]:
            held = self._held.get(row.meeting_id)
            if held is not None and not held.lost:
                return held
            if self._stopping:
                raise HeldByAnotherServer
            if held is not None:
                await self._let_go(held)
            try:
                meeting = await LiveMeeting.take_up(self._parts, row)
            except HeldElsewhere:
                raise HeldByAnotherServer from None
            except MeetingLost:
                raise SessionNotFound from None
            self._held[row.meeting_id] = meeting
            return meeting

    async def _let_go(self, meeting: LiveMeeting) -> None:
        self._held.pop(meeting.row.meeting_id, None)
        await meeting.close()

    async def until_engine_known(self) -> None:
        """Wait for the engine's capabilities, for at most 3 s: audio is accepted without an engine."""
        await self._parts.analyzer.inference.until_known(ENGINE_WAIT_S)

    async def look_after(self) -> None:
        """Supervise: finish abandoned meetings, publish missing outcomes, release concluded ones; until cancelled."""
        while True:
            try:
                await self._look()
            except (DatabaseGone, OSError) as error:
                log.warning("live meetings: %s", error)
            except Exception:
                log.exception("looking after live meetings")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        for meeting in list(self._held.values()):
            if meeting.abandoned:
                log.info("live meeting %s: nobody came back, it is finished", meeting.row.meeting_id)
                meeting.finish()
            over = meeting.state in (LiveState.CONCLUDED, LiveState.LOST)
            if over and meeting.clients.current is None and not meeting.events.listeners:
                async with self._taking_up[meeting.row.meeting_id]:
                    await self._let_go(meeting)
                self._taking_up.pop(meeting.row.meeting_id, None)
        connected = [id_ for id_, meeting in self._held.items() if not meeting.clients.absent_s()]
        if connected:
            await self._parts.database.run(partial(live.heard, meeting_ids=connected))
        waiting = await self._parts.database.read(partial(live.waiting, grace_s=self._parts.settings.live_grace_s))
        for id_ in waiting:
            if id_ not in self._held:
                with suppress(HeldByAnotherServer, SessionNotFound, DiskFull):
                    (await self._take_up(await self._row(id_))).finish()

    async def _row(self, id_: UUID) -> LiveRow:
        row = await self._parts.database.read(partial(live.by_id, meeting_id=id_))
        if row is None:
            raise SessionNotFound
        return row

    async def close(self) -> None:
        """Release all meetings; clients are told to reconnect."""
        self._stopping = True
        held, self._held = list(self._held.values()), {}
        await asyncio.gather(*(meeting.close(HeldByAnotherServer()) for meeting in held))

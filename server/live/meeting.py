"""One live meeting held by this process: audio in, events out, and its conclusion."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from meetra.inference.v2 import session_pb2
from meetra.v1 import live_pb2 as pb

from server.analysis import Recording, SessionResult
from server.conversation import Engine, Segment
from server.errors import HeldByAnotherServer, MeetingOver, MeetraError, TakenOver
from server.live.config import LiveConfig
from server.live.connection import Clients, Connection
from server.live.dependencies import LiveDependencies
from server.live.event_log import EventLog, read
from server.live.insights import RollingTimeline, insights_of
from server.live.intake import take_chunk
from server.live.observations import DuplicateTrackDetector, Warnings
from server.live.outcome import tell_outcome
from server.live.recording import audio_track
from server.live.state import LiveState, following
from server.live.told import Told
from server.live.track_feed import TrackFeed
from server.live.track_log import MeetingAudio, TrackLog
from server.live.turns import is_participant
from server.media import RATE_HZ
from server.storage import DatabaseGone, Job, LiveRow, MeetingLost, live

log = logging.getLogger(__name__)
OBSERVE_EVERY_S = 1.0


class LiveMeeting:
    """A live meeting held by this process; create it with ``take_up``."""

    def __init__(
        self, parts: LiveDependencies, row: LiveRow, audio: MeetingAudio, events: EventLog, told: Told
    ) -> None:
        self.row, self.config = row, LiveConfig.from_document(row.config)
        self.audio, self.events, self.turns, self._told = audio, events, told.turns, told
        self._parts = parts
        self._saying = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._feeds = [
            TrackFeed(row.meeting_id, self.config, place, audio, told, parts.analyzer.inference, self._said_more)
            for place in range(len(self.config.tracks))
        ]
        self._running: list[asyncio.Task[SessionResult]] = []
        self._copies = DuplicateTrackDetector(self.config, row.ignored_tracks)
        for place in self._copies.ignored:
            self.turns.ignore(place)
        self._warnings = Warnings()
        self._rolling = RollingTimeline(parts.analyzer.inference)
        self._next_insights_us = self.config.insights_period_s * 1_000_000
        self._language = ""
        self.clients = Clients()
        self.state = LiveState.OPEN
        if row.finished:
            self.state = LiveState.CONCLUDED if row.concluded else LiveState.FINISHING
        self.failure: MeetraError = HeldByAnotherServer()
        """Why this process no longer holds the meeting, once ``lost``."""

    @classmethod
    async def take_up(cls, parts: LiveDependencies, row: LiveRow) -> LiveMeeting:
        """Acquire a meeting and resume it from its stored state.

        Raises HeldElsewhere, MeetingLost, DatabaseGone, DiskFull.
        """
        config = LiveConfig.from_document(row.config)
        where = partial(parts.audio_log.live_track, row.organization_id, row.file_hash)
        logs = [TrackLog(track, where(place)) for place, track in enumerate(config.sources)]
        holder = parts.audio_log.live_holder(row.organization_id, row.file_hash)
        audio = MeetingAudio(logs, holder, parts.syncing)
        await audio.open()
        try:
            row = await parts.database.run(partial(live.take_up, meeting_id=row.meeting_id))
            told, last = Told(config, row.meeting_id), 0
            while stored := await read(parts.database, row.meeting_id, last):
                told.restore(stored)
                last = stored[-1].event_seq
            meeting = cls(parts, row, audio, EventLog(parts.database, row.meeting_id, row.fence, last), told)
            meeting._start()
        except BaseException:
            await audio.close()
            raise
        return meeting

    def _start(self) -> None:
        if self.state is LiveState.CONCLUDED:
            return
        if self.state is LiveState.FINISHING:
            # The holder of the job finishes the analysis; this process publishes the outcome.
            self._spawn(self._conclude())
            return
        self._spawn(self.audio.stands())
        self._running = [self._spawn(feed.run()) for feed in self._feeds]
        self._spawn(self._observe())

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name=f"live {self.row.meeting_id}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if task in self._running and not isinstance(error, MeetingLost):
            # The audio is durable: the worker analyses all of it again after the meeting.
            if self.state is LiveState.OPEN:
                log.error("live meeting %s: the analysis of a track ended", self.row.meeting_id, exc_info=error)
            return
        if not isinstance(error, MeetingLost):
            log.error("live meeting %s broke; it is taken up again", self.row.meeting_id, exc_info=error)
        self.lose(self.audio.failure())

    def lose(self, failure: MeetraError) -> None:
        """Mark the meeting as no longer held by this process, end its client and wake its listeners."""
        if not self.lost:
            self._become(LiveState.LOST)
        self.failure = failure
        self.clients.end(failure)
        self.events.wake()

    def _become(self, state: LiveState) -> None:
        self.state = following(self.state, state)

    @property
    def finishing(self) -> bool:
        """Whether the meeting takes no more audio, and its outcome is pending or published."""
        return self.state in (LiveState.FINISHING, LiveState.CONCLUDED)

    @property
    def lost(self) -> bool:
        """Whether this process no longer holds the meeting."""
        return self.state is LiveState.LOST

    # Clients

    async def connect(self, *, take_over: bool, streams: bool) -> Connection:
        """Make a new client the sender, after the audio of the previous one is durable.

        Raises HeldByAnotherClient, HeldByAnotherServer, AudioNotStored, DatabaseGone.
        """
        row, run = self.row, self._parts.database.run
        try:
            number = partial(run, partial(live.new_owner, meeting_id=row.meeting_id, fence=row.fence))
            connection = await self.clients.connect(number, take_over, streams)
        except MeetingLost:
            # Deleted or acquired by another server; the next lookup tells which.
            self.lose(HeldByAnotherServer())
            raise self.failure from None
        # The resume position must include everything the previous client sent.
        await self.audio.committed()
        return connection

    @property
    def abandoned(self) -> bool:
        """Whether no client has reconnected within the grace period."""
        return self.state is LiveState.OPEN and self.clients.absent_s() > self._parts.settings.live_grace_s

    async def receive(self, chunk: pb.AudioChunk, connection: Connection) -> None:
        """Accept a chunk; an acknowledgement follows once it is durable.

        Raises TakenOver, MeetingOver, BadRequest, AudioGap, AudioOverlap, LiveMeetingTooLong.
        """
        if not self.clients.holds(connection):
            # Reject audio from a replaced connection: it must not advance its successor's resume position.
            raise TakenOver
        if self.finishing:
            raise MeetingOver
        await take_chunk(self.audio, chunk, self._parts.settings.live_max_duration_s)

    def lag_ms(self) -> int:
        """Return how far the turns lag behind the durable audio on the slowest track, milliseconds."""
        return max((feed.lag_samples() for feed in self._feeds), default=0) * 1000 // RATE_HZ

    @property
    def engine(self) -> session_pb2.Capabilities | None:
        """The engine's reported capabilities; None while no engine has been reached."""
        told = (feed.engine for feed in self._feeds if feed.engine is not None)
        return next(told, self._parts.analyzer.inference.capabilities)

    # Publishing

    async def _said_more(self) -> None:
        await self._say([])

    async def _say(self, events: list[pb.LiveEvent]) -> None:
        """Publish the pending changes of turns, languages and watermark, then ``events``, in one write."""
        async with self._saying:
            await self.events.append([*self._told.changes(self._copies.ignored), *events])

    async def _observe(self) -> None:
        while self.state is LiveState.OPEN:
            await asyncio.sleep(OBSERVE_EVERY_S)
            for copy, of in await asyncio.to_thread(self._copies.look, self._feeds):
                await self._ignore(copy, of)
            for place in range(len(self._feeds)):
                if is_participant(self.config, place) and self._copies.judged(place) and not self.turns.settled(place):
                    self.turns.settle(place)
            await self._say(self._warnings.of(self._feeds, self.turns))
            await self._tell_insights()

    async def _ignore(self, copy: int, of: int) -> None:
        track, other = self.config.tracks[copy], self.config.tracks[of]
        meeting_id, fence = self.row.meeting_id, self.row.fence
        await self._parts.database.run(partial(live.ignore_track, meeting_id=meeting_id, fence=fence, track=track.key))
        here = "channel" if track.channel else "track"
        text = f"The {here} carries the same audio as {other.called}; it is stored, and left out of everything else."
        code = pb.WARNING_CODE_DUPLICATE_TRACK
        warning = pb.Warning(code=code, track_id=track.track_id, text=text, channel=track.channel)
        self.turns.ignore(copy)
        await self._say([pb.LiveEvent(warning=warning)])

    async def _tell_insights(self) -> None:
        through_us = max(
            track.start_us + feed.reach.heard * 1_000_000 // RATE_HZ
            for track, feed in zip(self.config.tracks, self._feeds, strict=True)
        )
        if through_us < self._next_insights_us or any(map(self.turns.catching_up, range(len(self._feeds)))):
            return
        began = time.monotonic()
        known = self.engine or session_pb2.Capabilities()
        overlap = known.overlap or len(self._feeds) - len(self._copies.ignored) > 1
        segments = self.turns.segments()
        await self._note_language(segments)
        engine = Engine(overlap=overlap, languages=tuple(known.languages))
        line = await self._rolling.of(segments, through_us, engine)
        event = pb.LiveEvent(insights=insights_of(line, overlap, self.turns.speaker_id, self.turns.alias))
        await self._say([event])
        # Space the computation out in long meetings: at most a twentieth of the time goes into it.
        pause_s = max(self.config.insights_period_s, 20 * (time.monotonic() - began))
        self._next_insights_us = through_us + round(pause_s * 1e6)

    async def _note_language(self, segments: list[Segment]) -> None:
        """Store the language most spoken so far; status queries report it."""
        language, confidence = self._told.languages.of_meeting(segments)
        if language in ("", self._language):
            return
        note = partial(live.note_language, meeting_id=self.row.meeting_id, fence=self.row.fence)
        with suppress(DatabaseGone):
            await self._parts.database.run(partial(note, language=language, confidence=confidence))
            self._language = language

    # Conclusion

    def finish(self) -> None:
        """Stop taking audio and start the final analysis. Idempotent."""
        if self.state is LiveState.OPEN:
            self._become(LiveState.FINISHING)
            self._spawn(self._finish())

    async def _finish(self) -> None:
        await self.audio.committed()
        size = sum(one.committed_bytes for one in self.audio.logs)
        lease_s = self._parts.settings.lease_s
        job = await self._parts.database.run(
            partial(live.finish, row=self.row, size_bytes=size, lease_s=lease_s), patience_s=60
        )
        await self.audio.end()
        if job is not None:
            await self._parts.runner.run(job, self._analyse)
        await self._conclude()

    async def _analyse(self, job: Job) -> None:
        """Complete the meeting from the live sessions' results."""
        said = await asyncio.gather(*self._running)
        for copy, of in await asyncio.to_thread(self._copies.conclude, self._feeds):
            await self._ignore(copy, of)
        places = [place for place in range(len(self._feeds)) if place not in self._copies.ignored]
        tracks = tuple(audio_track(self.config, place, self._feeds[place].pcm) for place in places)
        recording = Recording(tracks, len(self._feeds), self.config.participant_names())
        await self._parts.analyzer.conclude(job, recording, [said[place] for place in places])

    async def _conclude(self) -> None:
        with suppress(DatabaseGone):
            async with self._saying:
                await tell_outcome(self._parts.database, self.row, self.events, self.turns)
            if not self.lost:
                self._become(LiveState.CONCLUDED)
            self.events.wake()

    async def close(self, failure: MeetraError | None = None) -> None:
        """Release the meeting; the next holder resumes from its stored state."""
        if failure is not None:
            self.lose(failure)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.audio.close()

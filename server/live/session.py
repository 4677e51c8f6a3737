"""One live meeting held by this process: audio in, events out, and its conclusion."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from functools import partial
from typing import Any

from meetra.v1 import live_pb2 as pb

from monitoring import current_trace_id
from privacy import replace_log_context
from server.analysis import DATABASE_PATIENCE_S, SessionResult
from server.audio import StoreUnavailable
from server.audit import current_call
from server.errors import HeldByAnotherServer, MeetingOver, MeetraError, SessionNotFound, TakenOver
from server.live.clock_news import ClockNews
from server.live.config import LiveConfig
from server.live.connection import SenderConnection, SenderSlot
from server.live.dependencies import LiveDependencies
from server.live.event_log import EventLog, read_events
from server.live.given_names import find_given_names, load_given_names
from server.live.insights import RollingInsights
from server.live.intake import receive_chunk
from server.live.lease import keep_lease, release_lease, take_lease
from server.live.meeting_tracks import MeetingTracks
from server.live.observations import Warnings
from server.live.optional_feature import OptionalFeature
from server.live.outcome import publish_outcome
from server.live.presence import Presence
from server.live.published_state import PublishedState
from server.live.recording import audio_track, live_recording
from server.live.rolling_alerts import RollingAlerts
from server.live.source_log import TrackLog
from server.live.state import LiveState, transition
from server.live.track_changes import TrackChanges
from server.live.track_feed import TrackFeed
from server.live.track_hearing import listen
from server.live.track_log import MeetingAudio
from server.storage import DatabaseUnavailable, Job, JobLost, LiveRow, MeetingLost, live

log = logging.getLogger(__name__)
OBSERVE_EVERY_S = 1.0
# How long a client that connects waits until what was sent before is durable, seconds: the object store may be away.
CONNECT_PATIENCE_S = 20.0


class LiveSession:
    """A live meeting held by this process; create it with ``acquire``."""

    def __init__(
        self,
        dependencies: LiveDependencies,
        row: LiveRow,
        audio: MeetingAudio,
        events: EventLog,
        published: PublishedState,
    ) -> None:
        self.row, self.config = row, published.config
        self.audio, self.events, self.turns, self._published = audio, events, published.turns, published
        self._dependencies = dependencies
        self._run = partial(dependencies.database.run, organization_id=row.organization_id)
        self._publish_lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.tracks = MeetingTracks(dependencies, row, self.config, audio, published, self._publish_changes)
        self.changes = TrackChanges(
            dependencies,
            row,
            self.config,
            audio,
            self.tracks,
            self.turns,
            check_sender=self._check_sender,
            start=self._start_feed,
            publish=self._publish_changes,
            find_out_loss=self._find_out_loss,
            audit=self.audit_control,
        )
        self._sessions: list[asyncio.Task[SessionResult]] = []
        self._warnings, self._clocks = Warnings(), ClockNews()
        self._clocks_feature = OptionalFeature("telling of clocks", row.meeting_id)
        feeds, ignored = self.tracks.feeds, self.tracks.duplicates.ignored
        self._insights = RollingInsights(dependencies, row, self.config, feeds, published, ignored)
        self._alerts = RollingAlerts(self.config, self.tracks.feeds, published, self._insights.timelines)
        self.sender_slot = SenderSlot()
        self.presence = Presence(self.sender_slot, events)
        self.state = LiveState.OPEN
        if row.finished:
            self.state = LiveState.CONCLUDED if row.concluded else LiveState.FINISHING
        self.failure: MeetraError = HeldByAnotherServer()
        """Why this process no longer holds the meeting, once ``lost``."""

    @classmethod
    async def acquire(
        cls, dependencies: LiveDependencies, row: LiveRow, *, sends: bool, takes_expired: bool
    ) -> LiveSession:
        """Acquire a meeting and resume it from its stored state.

        Args:
            sends: whether a client comes to send or control, and not to watch.
            takes_expired: whether it is taken from a holder that may live and has not renewed its lease.

        Raises HeldElsewhere, MeetingLost, DatabaseUnavailable, DiskFull, StoreUnavailable.
        """
        lock_path = dependencies.audio_log.live_holder(row.organization_id, row.file_hash)
        in_store = None if row.concluded else dependencies.stored_audio(row.organization_id, row.file_hash)
        audio = MeetingAudio([], lock_path, dependencies.sync_executor, in_store)
        if in_store is not None:
            await in_store.check_reachable(row.fence)
        newest = await audio.newest_holder()
        row, may_live = await take_lease(dependencies, row, newest, sends=sends, takes_expired=takes_expired)
        try:
            # The holder before may have changed the tracks until now.
            config = LiveConfig.from_document(row.config)
            track_path = partial(dependencies.audio_log.live_track, row.organization_id, row.file_hash)
            logs = [TrackLog(track, track_path(index)) for index, track in enumerate(config.sources)]
            if dependencies.keeper is not None and row.concluded:
                if sends:
                    await dependencies.keeper.read_positions(row, logs)
                audio.add(logs)
            else:
                await _open_audio(dependencies, row, audio, logs, renew=may_live)
            published, last = PublishedState(config, row.meeting_id), 0
            find = partial(find_given_names, meeting_id=row.meeting_id)
            published.turns.name(await dependencies.database.run(find, organization_id=row.organization_id))
            while stored := await read_events(dependencies.database, row, last):
                published.restore(stored)
                last = stored[-1].event_seq
            meeting = cls(dependencies, row, audio, EventLog(dependencies.database, row, last), published)
            await meeting._start()
        except BaseException:
            await audio.close()
            await release_lease(dependencies, row)
            raise
        return meeting

    async def _start(self) -> None:
        if self.state is LiveState.CONCLUDED:
            # Nobody writes any more: any number of processes may show what is stored.
            await self.audio.close()
            await release_lease(self._dependencies, self.row)
            return
        if self.state is LiveState.FINISHING:
            # The holder of the job finishes the analysis; this process publishes the outcome.
            self._spawn(self._conclude())
            return
        self._spawn(self.audio.wait_until_closed())
        for feed in self.tracks.feeds:
            self._start_feed(feed)
        self._spawn(self._observe())

    def _start_feed(self, feed: TrackFeed) -> None:
        self._sessions.append(self._spawn(feed.run()))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        # Not with the call that opened the meeting, which is over long before.
        context = copy_context()
        ids = {"organization": self.row.organization_id, "meeting": self.row.meeting_id, "trace": current_trace_id()}
        context.run(partial(replace_log_context, **ids))
        task = asyncio.create_task(work, name=f"live {self.row.meeting_id}", context=context)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_end)
        return task

    def _on_task_end(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if task in self._sessions and not isinstance(error, MeetingLost):
            # The audio is durable: the worker analyses all of it again after the meeting.
            if self.state is LiveState.OPEN:
                log.error("live meeting %s: the analysis of a track failed", self.row.meeting_id, exc_info=error)
            return
        if isinstance(error, MeetingLost):
            if not self.lost:
                self._spawn(self._find_out_loss())
            return
        log.error("live meeting %s failed; it will be resumed", self.row.meeting_id, exc_info=error)
        self.mark_lost(self.audio.failure())

    async def _find_out_loss(self) -> MeetraError:
        """Tell clients why a write was refused: the meeting was deleted, or another process holds it."""
        failure: MeetraError = HeldByAnotherServer()
        with suppress(DatabaseUnavailable):
            fences = await self._run(partial(live.fences, meeting_ids=[self.row.meeting_id]))
            if self.row.meeting_id not in fences:
                failure = SessionNotFound(deleted=True)
        if not self.lost:
            self.mark_lost(failure)
        return self.failure

    def mark_lost(self, failure: MeetraError) -> None:
        """Mark the meeting as no longer held by this process, end its client and wake its listeners."""
        if not self.lost:
            self._set_state(LiveState.LOST)
        self.failure = failure
        self.sender_slot.end(failure)
        self.events.wake()

    def _set_state(self, state: LiveState) -> None:
        self.state = transition(self.state, state)

    @property
    def finishing(self) -> bool:
        """Whether the meeting takes no more audio, and its outcome is pending or published."""
        return self.state in (LiveState.FINISHING, LiveState.CONCLUDED)

    @property
    def running(self) -> bool:
        """Whether the meeting takes audio, or is analysed to its end."""
        return self.state in (LiveState.OPEN, LiveState.FINISHING)

    @property
    def lost(self) -> bool:
        """Whether this process no longer holds the meeting."""
        return self.state is LiveState.LOST

    # Clients

    async def connect(self, *, take_over: bool, streams: bool) -> SenderConnection:
        """Make a new client the sender, after the audio of the previous one is durable.

        Raises HeldByAnotherClient, HeldByAnotherServer, AudioNotStored, DatabaseUnavailable, StoreUnavailable.
        """
        row = self.row
        try:
            number = partial(self._run, partial(live.new_owner, meeting_id=row.meeting_id, fence=row.fence))
            connection = await self.sender_slot.connect(number, take_over, streams)
        except MeetingLost:
            # Deleted or acquired by another server; the next lookup tells which.
            self.mark_lost(HeldByAnotherServer())
            raise self.failure from None
        # The resume position must include everything the previous client sent.
        try:
            async with asyncio.timeout(CONNECT_PATIENCE_S):
                await self.audio.wait_until_committed()
        except TimeoutError:
            self.sender_slot.release(connection)
            raise StoreUnavailable("it lacks audio that the client before sent") from None
        return connection

    @property
    def abandoned(self) -> bool:
        """Whether nobody has attended the meeting within the grace period, and its end was announced."""
        grace_s = self._dependencies.settings.live_grace_s
        return self.state is LiveState.OPEN and self._warnings.ending_announced and self.presence.abandoned(grace_s)

    async def receive(
        self, chunk: pb.AudioChunk, connection: SenderConnection, patience_s: float = 0.0
    ) -> tuple[TrackLog, int]:
        """Accept a chunk; an acknowledgement follows once it is durable.

        Args:
            patience_s: how long to wait for the audio before it, seconds.

        Returns the log of its track and the position of its end. Raises TakenOver, MeetingOver, BadRequest, AudioGap,
        AudioOverlap, LiveMeetingTooLong.
        """
        self._check_sender(connection)
        if patience_s:
            await self.audio.wait_for_earlier(chunk.track_id, chunk.first_sample - chunk.gap_samples, patience_s)
            self._check_sender(connection)
        return await receive_chunk(self.audio, chunk, self._dependencies.settings.live_max_duration_s)

    def _check_sender(self, connection: SenderConnection) -> None:
        if not self.sender_slot.is_current(connection):
            # Reject audio from a replaced connection: it must not advance its successor's resume position.
            raise TakenOver
        if self.finishing:
            raise MeetingOver

    async def flush(self) -> None:
        """Wait until everything received is durable, and have the engine tell what it knows of it.

        Raises AudioNotStored, HeldByAnotherServer.
        """
        await self.audio.wait_until_committed()
        for feed in self.tracks.feeds:
            feed.request_flush()

    def adopt_names(self) -> None:
        """Show, and tell, a name that was given by hand just now."""
        self._spawn(self._adopt_names())

    async def _adopt_names(self) -> None:
        # Of a name given by hand and one of a track the one that is stored last counts: no track is renamed meanwhile.
        async with self.tracks.changing:
            if self.state is not LiveState.OPEN:
                return
            try:
                given = await self._run(partial(find_given_names, meeting_id=self.row.meeting_id))
            except DatabaseUnavailable:
                # The supervision reads them again.
                return
            if self.state is LiveState.OPEN:
                self.turns.name(given)
        await self._publish_changes()

    async def audit_control(self) -> None:
        """Note in the audit log that the caller changes the meeting."""
        if (audited := current_call()) is not None:
            await audited.add("LiveService/ControlMeeting", "change", "meeting", self.row.file_hash)

    # Publishing

    async def _publish_changes(self) -> None:
        await self._publish([])

    async def _publish(self, events: list[pb.LiveEvent]) -> None:
        """Publish the pending changes of turns, languages and watermark, then ``events``, in one write."""
        async with self._publishing():
            if self.state in (LiveState.CONCLUDED, LiveState.LOST):
                # Nothing follows the outcome. What is lost is told by the next holder, from what is stored.
                return
            late = self.tracks.finality.late_audio()
            ignored, uncovered = self.tracks.duplicates.ignored, self.tracks.finality.uncovered()
            heard = partial(listen, self.tracks.feeds, ignored)
            changes = [*late, *self._published.changes(ignored, uncovered, heard)]
            await self.events.append([*changes, *self._published.follow_alerts(changes), *events])

    @asynccontextmanager
    async def _publishing(self) -> AsyncGenerator[None, None]:
        """Publish alone; where that fails, the meeting is lost before anybody else publishes."""
        async with self._publish_lock:
            try:
                yield
            except MeetingLost:
                raise
            except BaseException:
                # The changes count as told here, and are not stored: the next holder compares with what is.
                if not self.lost:
                    self.mark_lost(self.audio.failure())
                raise

    async def _observe(self) -> None:
        while True:
            await asyncio.sleep(OBSERVE_EVERY_S)
            feeds, duplicates = self.tracks.feeds, self.tracks.duplicates
            async with self.tracks.changing:
                if self.state is not LiveState.OPEN:
                    return
                for duplicate, original in await asyncio.to_thread(duplicates.detect, feeds, self.turns):
                    await self._ignore(duplicate, original)
                await self.tracks.leave_out_copies()
            self.tracks.finality.settle_speakers()
            ending = self.presence.ending(self._dependencies.settings.live_grace_s)
            warnings = self._warnings.update(feeds, self.turns, ending=ending, behind=self.audio.behind)
            clocks = self._clocks_feature.tell(partial(self._clocks.events, self.audio.logs))
            await self._publish([*warnings, *clocks])
            await self._publish_while_open(await self._insights.update(self.tracks.engine))
            late = self.tracks.finality.late_tracks
            find_alerts = partial(self._alerts.update, self.tracks.engine, duplicates.ignored, late)
            await self._publish_while_open(await self._published.alerts_feature.find(find_alerts))

    async def _publish_while_open(self, events: list[pb.LiveEvent]) -> None:
        """As ``_publish``, unless the meeting has ended meanwhile."""
        if self.state is LiveState.OPEN:
            await self._publish(events)

    async def _ignore(self, duplicate: int, original: int) -> None:
        track, other = self.config.tracks[duplicate], self.config.tracks[original]
        meeting_id, fence = self.row.meeting_id, self.row.fence
        await self._run(partial(live.ignore_track, meeting_id=meeting_id, fence=fence, track=track.key))
        noun = "channel" if track.channel else "track"
        text = f"The {noun} duplicates {other.display_name}; it is stored, but not analysed."
        code = pb.WARNING_CODE_DUPLICATE_TRACK
        warning = pb.Warning(code=code, track_id=track.track_id, text=text, channel=track.channel)
        self.turns.ignore(duplicate)
        await self._publish([pb.LiveEvent(warning=warning)])

    # Conclusion

    def finish(self) -> None:
        """Stop taking audio and start the final analysis. Idempotent."""
        if self.state is LiveState.OPEN:
            self._set_state(LiveState.FINISHING)
            self._spawn(self._finish())

    async def _finish(self) -> None:
        async with self.tracks.changing:
            # A change of tracks that has begun is part of the meeting; none begins any more.
            await self.audio.wait_until_committed()
        size = sum(track_log.committed_bytes for track_log in self.audio.logs)
        lease_s = self._dependencies.settings.lease_s
        job = await self._run(partial(live.finish, row=self.row, size_bytes=size, lease_s=lease_s), patience_s=60)
        await self.audio.end()
        if job is not None:
            await self._dependencies.runner.run(job, self._analyse)
        await self._conclude()

    async def _analyse(self, job: Job) -> None:
        """Complete the meeting from the live sessions' results."""
        reporting = self._spawn(self._report_progress(job))
        try:
            results = await asyncio.gather(*self._sessions)
        finally:
            reporting.cancel()
        feeds, duplicates = self.tracks.feeds, self.tracks.duplicates
        for duplicate, original in await asyncio.to_thread(duplicates.detect_final, feeds, self.turns):
            await self._ignore(duplicate, original)
        indices = [index for index in range(len(feeds)) if index not in duplicates.ignored]
        tracks = [audio_track(self.config, index, feeds[index].pcm) for index in indices]
        given_names = await self._run(
            partial(load_given_names, meeting_id=self.row.meeting_id), patience_s=DATABASE_PATIENCE_S
        )
        recording = live_recording(self.config, tracks, given_names)
        await self._dependencies.analyzer.conclude(job, recording, [results[index] for index in indices])

    async def _report_progress(self, job: Job) -> None:
        """Report how far the tracks are analysed, until cancelled; best effort."""
        with suppress(DatabaseUnavailable, JobLost):
            while True:
                await self._dependencies.analyzer.report_analysed(job, *self.tracks.analysed_samples())
                await asyncio.sleep(OBSERVE_EVERY_S)

    async def _conclude(self) -> None:
        async with self._publishing():
            # If it fails, the outcome is published by the next holder.
            await publish_outcome(self._dependencies.database, self.row, self.events, self._published)
            if not self.lost:
                self._set_state(LiveState.CONCLUDED)
        if not self.lost:
            await self.audio.close()
            if self._dependencies.keeper is not None:
                self._dependencies.keeper.keep_soon(self.row.organization_id, self.row.file_hash)
        self.events.wake()

    async def close(self, failure: MeetraError | None = None) -> None:
        """Release the meeting; the next holder resumes from its stored state."""
        if failure is not None:
            self.mark_lost(failure)
        await self.changes.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        deleted = self.lost and isinstance(self.failure, SessionNotFound)
        await self.audio.close(deleted=deleted)
        if deleted and self._dependencies.keeper is not None:
            # By another process, perhaps: what was on its way then came after it had deleted all.
            await self._dependencies.keeper.remove_deleted(self.row.organization_id, self.row.file_hash)
        # What is acknowledged is durable, and nothing is written any more.
        await release_lease(self._dependencies, self.row)


async def _open_audio(
    dependencies: LiveDependencies, row: LiveRow, audio: MeetingAudio, logs: list[TrackLog], *, renew: bool
) -> None:
    """Hold a meeting's files, brought up to date, and let audio come. Raises as ``LiveSession.acquire``."""
    renewing = asyncio.create_task(keep_lease(dependencies, row))
    try:
        await audio.open(row.fence, renew=renew)
        await audio.create(logs)
        audio.add(logs)
        await audio.begin()
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)

"""Changes of a live meeting's tracks while it runs: somebody joins, leaves, or is called differently.

Each is stored before anything that depends on it is told, and does nothing when it is repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from server.disk import DiskFull
from server.errors import (
    AudioNotStored,
    BadRequest,
    MeetraError,
    SessionNotFound,
    TooManyLiveMeetings,
    TooManyRenames,
    TooManyTracks,
    TrackDiffers,
)
from server.live.config import MAX_TRACKS, LiveConfig, LiveTrack, TrackKind
from server.live.connection import SenderConnection
from server.live.dependencies import LiveDependencies
from server.live.given_names import find_given_names
from server.live.meeting_tracks import MeetingTracks
from server.live.source_log import TrackLog
from server.live.track_feed import TrackFeed
from server.live.track_log import MeetingAudio
from server.live.turns import MeetingTurns
from server.storage import Connection, LiveRow, MeetingLost, live, live_names

# Each is stored, and told by events.
MAX_RENAMES = 500


class TrackChanges:
    """Change the tracks of one meeting."""

    def __init__(
        self,
        dependencies: LiveDependencies,
        row: LiveRow,
        config: LiveConfig,
        audio: MeetingAudio,
        tracks: MeetingTracks,
        turns: MeetingTurns,
        *,
        check_sender: Callable[[SenderConnection], None],
        start: Callable[[TrackFeed], None],
        publish: Callable[[], Awaitable[None]],
        find_out_loss: Callable[[], Awaitable[MeetraError]],
        audit: Callable[[], Awaitable[None]],
    ) -> None:
        """
        Args:
            check_sender: raises the error of a client that may not change the meeting any more.
            start: starts the feed of a track that was added.
            publish: publishes what has changed.
            find_out_loss: returns why the meeting is no longer this process's.
            audit: notes that the caller changes the meeting, before it is changed.
        """
        self._dependencies, self._row, self._config, self._audio = dependencies, row, config, audio
        self._tracks, self._turns = tracks, turns
        self._check_sender, self._start = check_sender, start
        self._publish, self._find_out_loss, self._audit = publish, find_out_loss, audit
        self._under_way: set[asyncio.Task[None]] = set()

    async def add(self, added: Sequence[LiveTrack], connection: SenderConnection) -> None:
        """Add a source: its track, or one for each of its channels; one that starts at 0 starts now.

        Raises TakenOver, MeetingOver, TrackDiffers, TooManyTracks, TooManyLiveMeetings,
        AudioNotStored, SessionNotFound, HeldByAnotherServer, DatabaseUnavailable.
        """
        await self._complete(self._add(added, connection))

    async def end(self, track_id: str, connection: SenderConnection) -> None:
        """End a source after the audio that was received of it.

        Raises BadRequest, and as ``add``.
        """
        await self._complete(self._end(track_id, connection))

    async def rename(self, track_id: str, channel: int, name: str, connection: SenderConnection) -> None:
        """Rename who is on a track, or on a channel of one: a name given by hand before counts no more.

        Raises BadRequest, TooManyRenames, and as ``add``.
        """
        await self._complete(self._rename(track_id, channel, name, connection))

    async def _complete(self, change: Coroutine[Any, Any, None]) -> None:
        """Carry a change out whole, even if the caller leaves."""
        task = asyncio.create_task(self._exclusively(change))
        self._under_way.add(task)
        task.add_done_callback(self._forget)
        await asyncio.shield(task)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Whoever asked may be gone.
            task.exception()

    async def _exclusively(self, change: Coroutine[Any, Any, None]) -> None:
        try:
            async with self._tracks.changing:
                await change
            await self._publish()
        except MeetingLost:
            raise await self._find_out_loss() from None
        finally:
            change.close()

    async def _add(self, added: Sequence[LiveTrack], connection: SenderConnection) -> None:
        self._check_sender(connection)
        track_id = added[0].track_id
        if existing := [track for track in self._config.tracks if track.track_id == track_id]:
            if not _is_same_source(existing, added):
                raise TrackDiffers(track_id)
            return
        if len(self._config.tracks) + len(added) > MAX_TRACKS:
            raise TooManyTracks(MAX_TRACKS)
        start_us = added[0].start_us
        if not start_us:
            await self._audio.wait_until_committed()
            start_us = self._tracks.audio_through_us() // 1000 * 1000
        joined = 1 + max(track.joined for track in self._config.tracks)
        new = [replace(track, start_us=start_us, joined=joined) for track in added]
        changed = replace(self._config, tracks=(*self._config.tracks, *new))
        number = len(self._config.sources)
        path = self._dependencies.audio_log.live_track(self._row.organization_id, self._row.file_hash, number)
        log = TrackLog(new[0], path)
        try:
            await self._audio.create([log])
        except DiskFull:
            raise AudioNotStored from None
        except FileNotFoundError:
            # The meeting's folder is gone.
            raise SessionNotFound(deleted=True) from None
        store = partial(_store_within_limits, limit=self._dependencies.settings.live_tracks_per_organization)
        await self._store(changed, store)
        self._audio.add([log])
        for feed in self._tracks.adopt():
            self._start(feed)

    async def _end(self, track_id: str, connection: SenderConnection) -> None:
        self._check_sender(connection)
        log = next((log for log in self._audio.logs if log.track.track_id == track_id), None)
        if log is None:
            raise BadRequest("end_track.track_id", f"{track_id!r} is not a track of the meeting")
        if log.track.ended:
            return
        # What came before the end is stored before the end is.
        await self._audio.wait_until_committed(log, log.accepted)
        tracks = tuple(replace(t, ended=True) if t.track_id == track_id else t for t in self._config.tracks)
        await self._store(replace(self._config, tracks=tracks))
        await self._audio.end_track(log, replace(log.track, ended=True))

    async def _rename(self, track_id: str, channel: int, name: str, connection: SenderConnection) -> None:
        self._check_sender(connection)
        index = self._find(track_id, channel)
        track, tracks = self._config.tracks[index], list(self._config.tracks)
        changed = self._config
        speakers = [self._config.speaker_number(index, 1)] if track.kind is TrackKind.PARTICIPANT else []
        if name == track.participant_name:
            if not await self._are_named_by_hand(speakers):
                return
        else:
            if self._config.renames >= MAX_RENAMES:
                raise TooManyRenames(MAX_RENAMES)
            earlier = tuple(dict.fromkeys([*track.earlier_names, track.participant_name]))
            tracks[index] = replace(track, participant_name=name, earlier_names=earlier)
            changed = replace(self._config, tracks=tuple(tracks), renames=self._config.renames + 1)
        await self._store(changed, partial(_store_names, speakers=speakers), renamed=speakers)

    async def _are_named_by_hand(self, speakers: Sequence[int]) -> bool:
        find = partial(find_given_names, meeting_id=self._row.meeting_id)
        given = await self._dependencies.database.run(find, organization_id=self._row.organization_id)
        return not given.keys().isdisjoint(speakers)

    def _find(self, track_id: str, channel: int) -> int:
        """Return the index of a track. Raises BadRequest."""
        channels = [track.channel for track in self._config.tracks if track.track_id == track_id]
        if not channels:
            raise BadRequest("rename_track.track_id", f"{track_id!r} is not a track of the meeting")
        if channel not in channels:
            fix = f"must be 1 to {len(channels)}" if channels[0] else "only a SEPARATE track has channels; omit it"
            raise BadRequest("rename_track.channel", f"{channel}; {fix}")
        return self._config.track_index(track_id, channel)

    async def _store(
        self,
        changed: LiveConfig,
        store: Callable[[Connection, LiveRow, LiveConfig], Awaitable[None]] | None = None,
        renamed: Sequence[int] = (),
    ) -> None:
        """Store the config with other tracks, then adopt them. Raises MeetingLost, and as ``store``."""
        await self._audit()
        store = store or _store_tracks
        await self._dependencies.database.run(
            lambda connection: store(connection, self._row, changed), organization_id=self._row.organization_id
        )
        self._config.set_tracks(changed)
        self._turns.adopt_tracks(renamed)

    async def close(self) -> None:
        """End the changes under way, each carried out or not: what is stored counts."""
        under_way = list(self._under_way)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def _is_same_source(existing: Sequence[LiveTrack], added: Sequence[LiveTrack]) -> bool:
    """Return whether a source is the same as one that exists, whatever its names."""
    if [(t.kind, t.format, t.channel) for t in existing] != [(t.kind, t.format, t.channel) for t in added]:
        return False
    return added[0].start_us in (0, existing[0].start_us)


async def _store_tracks(connection: Connection, row: LiveRow, config: LiveConfig) -> None:
    await live.store_tracks(connection, row, config.to_document())


async def _store_within_limits(connection: Connection, row: LiveRow, config: LiveConfig, limit: int) -> None:
    """Raises TooManyLiveMeetings where the organization has its limit of running tracks."""
    _, others = await live.count_running(connection, but=row.meeting_id)
    if others + sum(not track.ended for track in config.tracks) > limit:
        raise TooManyLiveMeetings(limit, "organization", "tracks")
    await _store_tracks(connection, row, config)


async def _store_names(connection: Connection, row: LiveRow, config: LiveConfig, speakers: Sequence[int]) -> None:
    await _store_tracks(connection, row, config)
    await live_names.take_back(connection, row.meeting_id, speakers)

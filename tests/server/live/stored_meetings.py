"""The audio of a live meeting on a machine's disk and in an object store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from server.audio import LiveStore, ObjectStore
from server.audio.audio_log import AudioLog
from server.disk import DiskReserve
from server.live.config import LiveConfig
from server.live.segment_sender import SegmentRules, SegmentSender
from server.live.source_log import TrackLog
from server.live.stored_audio import StoredAudio
from server.live.track_log import MeetingAudio

ORGANIZATION, HASH = UUID(int=1), "ab" * 32
AT_ONCE = 0.01
LOCAL, REMOTE = SegmentRules(AT_ONCE, acknowledges=False), SegmentRules(AT_ONCE, acknowledges=True)


class Machine:
    """A machine with a disk of its own, and an object store that others have too."""

    def __init__(self, root: Path, store: ObjectStore, config: LiveConfig) -> None:
        self.log, self.config = AudioLog(root, store), config
        self.folder = self.log.folder(ORGANIZATION, HASH)
        self._syncing = ThreadPoolExecutor(1)

    @property
    def store(self) -> LiveStore:
        """The meeting's objects."""
        store = self.log.live.store(ORGANIZATION, HASH)
        assert store is not None
        return store

    async def take(self, fence: int, rules: SegmentRules = LOCAL, *, renew: bool = False) -> MeetingAudio:
        """Take the meeting up."""
        sender = SegmentSender(self.store, self.folder, rules)
        stored = StoredAudio(self.store, self.folder, DiskReserve(self.log.root, 0), sender)
        audio = MeetingAudio([], self.log.live_holder(ORGANIZATION, HASH), self._syncing, stored)
        try:
            await audio.open(fence, renew=renew)
            logs = [
                TrackLog(source, self.log.live_track(ORGANIZATION, HASH, place))
                for place, source in enumerate(self.config.sources)
            ]
            await audio.create(logs)
            audio.add(logs)
            await audio.begin()
        except BaseException:
            await audio.close(deleted=True)
            raise
        return audio

    @asynccontextmanager
    async def holding(self, fence: int, rules: SegmentRules = LOCAL) -> AsyncIterator[MeetingAudio]:
        """Hold the meeting until the end of the context."""
        audio = await self.take(fence, rules)
        try:
            yield audio
        finally:
            await audio.close()

    async def received(self) -> dict[str, bytes]:
        """What a reader on this machine finds of the meeting, by name; files without anything aside."""
        async with self.log.live.opened(ORGANIZATION, HASH) as folder:
            found = {path.name: path.read_bytes() for path in folder.glob("*") if path.suffix in (".log", ".edits")}
        return {name: data for name, data in found.items() if data}

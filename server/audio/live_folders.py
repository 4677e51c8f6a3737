"""Where the files of a live meeting are: in its folder on this machine's disk, or in the object store."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import shutil
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from server.audio.folder_files import sync_directory
from server.audio.kept_files import LIVE_FILE, RecordingMissing
from server.audio.live_store import LOOKS, LiveStore, StoredMeeting
from server.audio.object_files import object_key
from server.audio.object_store import ObjectStore
from server.audio.recording_folders import RecordingFolders
from server.audio.segments import SegmentsDamaged
from server.disk import DiskReserve, detect_full_disk

# Segments that a process sends at once, of all meetings: each takes memory while it is on its way.
SENDS_AT_ONCE = 32
# Says of a meeting's folder which holder has brought its files up to date, and how long they were then.
UP_TO_DATE = "up-to-date.json"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UpToDate:
    """That a meeting's folder has all that holders before one have received."""

    fence: int = 0
    """That holder; 0: nobody has looked what the object store has."""
    lengths: Mapping[str, int] = field(default_factory=dict)
    """Of the files then, bytes."""

    @classmethod
    def read(cls, folder: Path) -> UpToDate:
        """Return what a folder says. Blocking."""
        try:
            said = json.loads((folder / UP_TO_DATE).read_text())
            return cls(int(said["fence"]), {str(name): int(length) for name, length in said["lengths"].items()})
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return cls()

    def write(self, folder: Path) -> None:
        """Say so durably. Blocking."""
        new = folder / f".{UP_TO_DATE}.{os.getpid()}"
        with detect_full_disk():
            with new.open("w") as file:
                json.dump({"fence": self.fence, "lengths": dict(self.lengths)}, file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(folder / UP_TO_DATE)
            sync_directory(folder)

    def holds(self, folder: Path, found: StoredMeeting) -> bool:
        """Return whether the folder has no less than the object store. Blocking."""
        if found.whole:
            return False
        return found.empty or (found.fence <= self.fence and (folder / "track-0.log").exists())


def live_files(folder: Path) -> list[Path]:
    """Return what a folder has of a live meeting, in the order of names. Blocking."""
    return sorted(path for path in folder.glob("*") if LIVE_FILE.fullmatch(path.name))


class LiveFolders:
    """The files of live meetings for whoever reads them."""

    def __init__(self, folders: RecordingFolders, store: ObjectStore | None, disk: DiskReserve) -> None:
        """
        Args:
            store: None: all of them are in ``folders``.
            disk: the disk of ``folders``.
        """
        self._folders, self._store, self._disk = folders, store, disk
        self._sends = asyncio.Semaphore(SENDS_AT_ONCE)

    def store(self, organization_id: UUID, file_hash: str) -> LiveStore | None:
        """Return a meeting's objects; None without an object store."""
        if self._store is None:
            return None
        return LiveStore(self._store, object_key(organization_id, file_hash, "").rstrip("/"), self._sends)

    @asynccontextmanager
    async def opened(
        self, organization_id: UUID, file_hash: str, only: Collection[str] | None = None
    ) -> AsyncGenerator[Path, None]:
        """Have the files in a folder for as long as the context lasts; of a track without audio there may be none.

        Args:
            only: names of files that are wanted; None: all.

        Raises StoreUnavailable, DiskFull.
        """
        found = await self._elsewhere(organization_id, file_hash)
        if found is None:
            yield self._folders.folder(organization_id, file_hash)
            return
        copy = self._folders.incoming / f"live-{secrets.token_hex(8)}"
        try:
            await self._restore(organization_id, file_hash, copy, only)
            yield copy
        finally:
            await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)

    async def copied(self, organization_id: UUID, file_hash: str) -> Path:
        """Return a folder with the files, which stays as decoded audio does: until the meeting is analysed.

        Raises StoreUnavailable, DiskFull, RecordingMissing where what the store has cannot be put together.
        """
        folder = self._folders.folder(organization_id, file_hash)
        try:
            if await self._elsewhere(organization_id, file_hash) is None:
                return folder
            # The name of what decoding leaves.
            copy = folder / f"decoding-live-{secrets.token_hex(8)}"
            await self._restore(organization_id, file_hash, copy, None)
        except SegmentsDamaged as error:
            log.error("a live meeting: %s", error)
            raise RecordingMissing from None
        return copy

    async def _elsewhere(self, organization_id: UUID, file_hash: str) -> StoredMeeting | None:
        """Return what the object store has of a meeting, if this machine's folder has less."""
        store, folder = self.store(organization_id, file_hash), self._folders.folder(organization_id, file_hash)
        if store is None:
            return None
        found = await store.look()
        current = await asyncio.to_thread(lambda: UpToDate.read(folder).holds(folder, found))
        return None if current else found

    async def _restore(self, organization_id: UUID, file_hash: str, copy: Path, only: Collection[str] | None) -> None:
        store = self.store(organization_id, file_hash)
        assert store is not None
        for tries_left in reversed(range(LOOKS)):
            found = await store.look()
            self._disk.require(sum(stored.size_bytes for stored in found.objects.values()))
            with detect_full_disk():
                await asyncio.to_thread(copy.mkdir, parents=True)
            with suppress(FileNotFoundError):
                # Objects go while a meeting becomes whole.
                await store.restore(found, copy, only)
                return
            await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)
            if not tries_left:
                raise SegmentsDamaged("objects of a live meeting go while they are read")

"""Finished meetings brought into the object store: each file an object of its own, and this disk free of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from server.audio import UP_TO_DATE, AudioLog, LiveStore, StoreUnavailable, UpToDate, live_files
from server.live.config import LiveConfig
from server.live.source_log import TrackLog
from server.storage import Connection, Database, DatabaseUnavailable, LiveRow, live, live_reports, meetings

# Whoever reads the files of a meeting here, as it becomes whole in the store, reads on for so long, seconds.
LINGER_S = 30.0
# Between two looks for what crashes, and other machines, left on this disk, seconds.
SETTLE_EVERY_S = 3600.0
PATIENCE_S = 60.0
log = logging.getLogger(__name__)


class TrackKeeper:
    """Brings finished meetings into the object store, and finds what else this disk need not have."""

    def __init__(self, database: Database, audio_log: AudioLog) -> None:
        self._database, self._audio_log = database, audio_log
        self._tasks: set[asyncio.Task[None]] = set()

    def keep_soon(self, organization_id: UUID, file_hash: str) -> None:
        """Bring a meeting whose last event is stored into the store; what fails is tried again by ``settle``."""
        task = asyncio.create_task(
            self._keep_and_remove(organization_id, file_hash), name="bring a live meeting into the store"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop; what is under way is done anew by ``settle``."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def run(self) -> None:
        """Settle what is on this disk, now and every hour, until cancelled."""
        while True:
            try:
                await self.settle()
            except (DatabaseUnavailable, OSError) as error:
                log.warning("live meetings on this disk wait for the next look: %s", error)
            except Exception:
                log.exception("live meetings on this disk wait for the next look")
            await asyncio.sleep(SETTLE_EVERY_S)

    async def settle(self) -> None:
        """Bring finished meetings of this disk into the store, and remove those here whose audio was deleted.

        Raises DatabaseUnavailable, OSError.
        """
        kept = []
        for path in await asyncio.to_thread(lambda: list(self._audio_log.root.glob(f"*/??/*/{UP_TO_DATE}"))):
            with suppress(ValueError):
                organization_id, file_hash = UUID(path.parents[2].name), path.parent.name
                row = await self._find(organization_id, file_hash)
                if row is None or row.audio_deleted_at is not None:
                    await asyncio.to_thread(self._audio_log.remove, organization_id, file_hash)
                elif row.concluded and await self._try(organization_id, file_hash):
                    kept.append(path.parent)
        if kept:
            await asyncio.sleep(LINGER_S)
        for folder in kept:
            await asyncio.to_thread(_remove, folder)

    async def _find(self, organization_id: UUID, file_hash: str) -> LiveRow | None:
        async def find(connection: Connection) -> LiveRow | None:
            meeting_id = await live_reports.find_session(connection, organization_id, file_hash)
            return None if meeting_id is None else await live.find(connection, organization_id, meeting_id)

        return await self._database.run(find, organization_id=organization_id, patience_s=PATIENCE_S)

    async def _keep_and_remove(self, organization_id: UUID, file_hash: str) -> None:
        if await self._try(organization_id, file_hash):
            await asyncio.sleep(LINGER_S)
            await asyncio.to_thread(_remove, self._audio_log.folder(organization_id, file_hash))

    async def _try(self, organization_id: UUID, file_hash: str) -> bool:
        """As ``keep``, but False for what fails: the next look tries again."""
        try:
            return await self.keep(organization_id, file_hash)
        except (StoreUnavailable, DatabaseUnavailable, OSError) as error:
            log.warning("a finished live meeting is brought into the object store later: %s", error)
            return False

    async def keep(self, organization_id: UUID, file_hash: str) -> bool:
        """Bring a meeting that is over into the store; return whether it is there, so that this disk need not have it.

        Raises StoreUnavailable, DatabaseUnavailable, OSError.
        """
        store, folder = self._store(organization_id, file_hash), self._audio_log.folder(organization_id, file_hash)
        found = await store.look()
        if not found.whole:
            if not await asyncio.to_thread(lambda: UpToDate.read(folder).holds(folder, found)):
                # Another machine has it, or only the store.
                return False
            row = await self._find(organization_id, file_hash)
            if row is None:
                return False
            paths = await asyncio.to_thread(live_files, folder)
            facts = await asyncio.to_thread(_facts, row, paths)
            await store.put_files(paths)
            if not await self._mark(store, organization_id, file_hash, facts):
                return True
        await store.remove_segments()
        return True

    async def _mark(self, store: LiveStore, organization_id: UUID, file_hash: str, facts: dict[str, Any]) -> bool:
        """Have the files in the store count, unless they were deleted meanwhile: then all go."""

        async def mark(connection: Connection) -> bool:
            # Under the lock, as all that deletes files.
            await meetings.lock_recording(connection, organization_id, file_hash)
            if not await meetings.keeps_audio(connection, organization_id, file_hash):
                await store.remove_all()
                return False
            await store.mark_whole(facts)
            return True

        return await self._database.run(mark, organization_id=organization_id, patience_s=PATIENCE_S)

    async def remove_deleted(self, organization_id: UUID, file_hash: str) -> None:
        """Remove what came after the deletion of a meeting; best effort: orphans are looked for every hour."""
        try:
            if await self._find(organization_id, file_hash) is None:
                await self._audio_log.kept.remove(organization_id, file_hash)
        except (StoreUnavailable, DatabaseUnavailable, OSError) as error:
            log.warning("what is left of a deleted live meeting is removed later: %s", error)

    async def read_positions(self, row: LiveRow, logs: Sequence[TrackLog]) -> None:
        """Set how far the logs of a meeting that is over have come. Raises StoreUnavailable, DiskFull."""
        store = self._store(row.organization_id, row.file_hash)
        try:
            positions = (await store.facts())["positions"]
        except FileNotFoundError:
            async with self._audio_log.live.opened(row.organization_id, row.file_hash) as folder:
                paths = await asyncio.to_thread(live_files, folder)
                positions = (await asyncio.to_thread(_facts, row, paths))["positions"]
        for log_ in logs:
            log_.accepted = log_.committed = int(positions.get(log_.path.name, 0))

    def _store(self, organization_id: UUID, file_hash: str) -> LiveStore:
        store = self._audio_log.live.store(organization_id, file_hash)
        assert store is not None
        return store


def _facts(row: LiveRow, paths: Sequence[Path]) -> dict[str, Any]:
    """Return how long files are, and up to where clients know them to be durable. Blocking."""
    positions = {}
    by_name = {path.name: path for path in paths}
    for number, source in enumerate(LiveConfig.from_document(row.config).sources):
        if (path := by_name.get(f"track-{number}.log")) is not None:
            positions[path.name] = TrackLog(source, path).read_position()
    return {"files": {path.name: path.stat().st_size for path in paths}, "positions": positions}


def _remove(folder: Path) -> None:
    for path in [*live_files(folder), folder / UP_TO_DATE, *folder.glob("holder-*")]:
        path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()

"""Deletion of meetings: rows first, then files; a sweep removes files that a crash left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

from server.audio import AudioLog
from server.errors import MeetingNotFound
from server.storage import Connection, Database, meetings

SWEPT_AT_ONCE = 1000
LetGo = Callable[[UUID, str], Awaitable[None]]
"""Given organization and file hash."""


class Deletion:
    """Delete meetings and their recordings."""

    def __init__(self, audio_log: AudioLog, database: Database, let_go: LetGo | None = None) -> None:
        """``let_go``: makes this process release a deleted meeting, before its files go; None: it holds none."""
        self._audio_log = audio_log
        self._database = database
        self._let_go = let_go

    async def delete(self, organization_id: UUID, file_hash: str) -> None:
        """Delete a meeting permanently. Raises MeetingNotFound."""

        async def delete_rows(connection: Connection) -> bool:
            await meetings.lock_recording(connection, organization_id, file_hash)
            return await meetings.delete(connection, organization_id, file_hash)

        if not await self._database.run(delete_rows, organization_id=organization_id):
            raise MeetingNotFound
        if self._let_go is not None:
            await self._let_go(organization_id, file_hash)
        await self._remove_orphan(organization_id, file_hash)

    async def sweep_orphans(self) -> int:
        """Delete recordings without a meeting row, left by crashes, and return how many there were."""
        removed = 0
        on_disk = await asyncio.to_thread(lambda: list(self._audio_log.recordings()))
        for start in range(0, len(on_disk), SWEPT_AT_ONCE):
            batch = on_disk[start : start + SWEPT_AT_ONCE]
            existing = await self._database.run(partial(_find_existing, recordings=batch))
            for organization_id, file_hash in set(batch) - existing:
                removed += await self._remove_orphan(organization_id, file_hash)
        return removed

    async def _remove_orphan(self, organization_id: UUID, file_hash: str) -> bool:
        async def remove(connection: Connection) -> bool:
            # Under the lock, since the same recording may be uploaded again at this moment.
            await meetings.lock_recording(connection, organization_id, file_hash)
            if await meetings.exists(connection, organization_id, file_hash):
                return False
            await asyncio.to_thread(self._audio_log.remove, organization_id, file_hash)
            return True

        return await self._database.run(remove, organization_id=organization_id)


async def _find_existing(connection: Connection, recordings: list[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    return await meetings.find_existing(connection, recordings)

"""Decoded audio on disk: kept while an analysis may read it, and no longer."""

from __future__ import annotations

import asyncio
from uuid import UUID

from server.audio import AudioLog
from server.storage import Connection, Database, meetings


class DecodedFiles:
    """The decoded audio of recordings whose analysis is over."""

    def __init__(self, audio_log: AudioLog, database: Database) -> None:
        self._audio_log = audio_log
        self._database = database

    async def remove_if_done(self, organization_id: UUID, file_hash: str) -> bool:
        """Delete a recording's decoded audio unless it is yet to be analysed; return whether any was deleted."""

        async def remove(connection: Connection) -> bool:
            # Under the lock, since a failed recording may be uploaded again at this moment.
            await meetings.lock_recording(connection, organization_id, file_hash)
            if not await meetings.is_done(connection, organization_id, file_hash):
                return False
            return await asyncio.to_thread(self._audio_log.remove_decoded, organization_id, file_hash)

        return await self._database.run(remove, organization_id=organization_id)

    async def sweep(self) -> int:
        """Delete what crashes and earlier versions left, and return of how many recordings.

        What lies in the log's folder of unfinished files for more than a day goes as well.
        """
        await asyncio.to_thread(self._audio_log.sweep_leftovers)
        decoded = await asyncio.to_thread(self._audio_log.decoded_recordings)
        return sum([await self.remove_if_done(*recording) for recording in decoded])

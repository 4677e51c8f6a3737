"""An uploaded recording on its way to where recordings are kept, and its meeting into the database: both or neither."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from server.audio import UPLOADED, FileNotSent, KeptFiles, StoreUnavailable
from server.storage import Connection, Database, DatabaseUnavailable, meetings

# A recording may be removed before its meeting is there: with an earlier meeting of the same recording, or as nobody's.
SENDS = 3
DATABASE_PATIENCE_S = 20.0
log = logging.getLogger(__name__)


class SentRecording:
    """A whole recording of an organization, durable on this machine's disk."""

    def __init__(self, kept: KeptFiles, database: Database, organization_id: UUID, file_hash: str, path: Path) -> None:
        self._kept, self._database = kept, database
        self._organization_id, self._file_hash = organization_id, file_hash
        self._files = {UPLOADED: path}
        self._sent = False

    async def store(self, store_meeting: Callable[[Connection], Awaitable[str]]) -> str:
        """Send the recording, then store its meeting; return the meeting's status.

        Args:
            store_meeting: stores the meeting in one transaction; calls ``keep`` last. May run several times.

        Raises StoreUnavailable, DatabaseUnavailable, and what ``store_meeting`` does: nothing of the recording stays.
        """
        try:
            for _ in range(SENDS):
                # Without a connection to the database: this may take minutes.
                self._sent |= await self._kept.send(self._organization_id, self._file_hash, self._files)
                try:
                    return await self._database.run(
                        store_meeting, organization_id=self._organization_id, patience_s=DATABASE_PATIENCE_S
                    )
                except FileNotSent:
                    continue
            raise StoreUnavailable(f"a recording was removed {SENDS} times before its meeting was stored")
        except BaseException as error:
            # A store that is away removes nothing either.
            if self._sent and not isinstance(error, StoreUnavailable):
                await self._let_go()
            raise

    async def keep(self, connection: Connection) -> None:
        """Make the recording stay, in the transaction that stores its meeting and holds its lock.

        What retention deleted does not come back with a recording that is known. Raises FileNotSent, DiskFull,
        StoreUnavailable.
        """
        if await meetings.keeps_audio(connection, self._organization_id, self._file_hash):
            await self._kept.keep(self._organization_id, self._file_hash, self._files)
        elif self._sent:
            await self._kept.remove(self._organization_id, self._file_hash)

    async def _let_go(self) -> None:
        async def remove(connection: Connection) -> None:
            await meetings.lock_recording(connection, self._organization_id, self._file_hash)
            if not await meetings.keeps_audio(connection, self._organization_id, self._file_hash):
                await self._kept.remove(self._organization_id, self._file_hash)

        try:
            await self._database.run(remove, organization_id=self._organization_id)
        except (DatabaseUnavailable, StoreUnavailable) as error:
            log.warning("a recording without a meeting stays until orphans are swept: %s", error)

"""Retention: what an organization's policy says is deleted when its days are over.

Any number of workers do this at once: each deletion locks its meeting, asks again whether the part is due, and passes
over a meeting that somebody works on. Rows and receipt come first, then files, as in every deletion.
"""

from __future__ import annotations

import asyncio
import logging
from uuid import uuid4

from server.audio import AudioLog, UnfinishedRecordings
from server.insights import FAMILIES
from server.meetings.deletion import Deletion
from server.storage import (
    Connection,
    Database,
    DatabaseUnavailable,
    ExpiredPart,
    NewDeletion,
    deletions,
    meetings,
    retention,
)

# Of each organization, in one look.
BATCH = 20
QUOTING = tuple(family.name for family in FAMILIES if family.quotes)
log = logging.getLogger(__name__)


class Retention:
    """Delete what is due, of all organizations."""

    def __init__(self, audio_log: AudioLog, database: Database, every_s: float) -> None:
        """``every_s``: interval between two looks, seconds."""
        self._audio_log = audio_log
        self._database = database
        self.deletion = Deletion(audio_log, database)
        self._every_s = every_s

    async def run(self) -> None:
        """Delete what is due, and complete interrupted deletions, now and every so often; until cancelled."""
        while True:
            try:
                if finished := await self.deletion.finish_abandoned():
                    log.info("completed %d deletions that were interrupted", finished)
                if swept := await asyncio.to_thread(UnfinishedRecordings(self._audio_log.root).sweep):
                    log.info("removed %d unfinished uploads that nobody went on with", swept)
                if deleted := await self.enforce():
                    log.info("retention deleted %d meetings or parts of them", deleted)
            except (DatabaseUnavailable, OSError) as error:
                log.warning("retention: what is due stays until the next look: %s", error)
            except Exception:
                log.exception("retention: what is due stays until the next look")
            await asyncio.sleep(self._every_s)

    async def enforce(self) -> int:
        """Delete everything that is due, and return how many meetings or parts. Raises DatabaseUnavailable."""
        deleted = 0
        while True:
            before = deleted
            for part in await self._database.run(lambda c: retention.find_expired(c, BATCH)):
                try:
                    deleted += await self.delete(part)
                except (DatabaseUnavailable, OSError) as error:
                    # One that the disk does not let go of holds up no other. Within a transaction an error of the disk
                    # looks like one of the database's connection; without a database the next look ends.
                    log.error("retention: %s of a meeting stays until the next look: %s", part.part, error)
            if deleted == before:
                # Nothing is due, or others are at what is.
                return deleted

    async def delete(self, expired: ExpiredPart) -> bool:
        """Delete one part of a meeting; return False if it is not due any more, or somebody works on the meeting.

        Raises DatabaseUnavailable, OSError.
        """
        organization_id, file_hash = expired.organization_id, expired.file_hash
        deletion = NewDeletion(uuid4(), organization_id, file_hash, expired.part, None)

        async def delete_rows(connection: Connection) -> bool:
            if not await meetings.try_lock_recording(connection, organization_id, file_hash):
                return False
            meeting_id = await retention.lock_expired(connection, expired)
            if meeting_id is None:
                # If the connection broke during the commit, the rows went with the first try.
                return await deletions.is_recorded(connection, organization_id, deletion.id)
            if expired.part == "meeting":
                await self.deletion.delete_rows(connection, deletion, meeting_id)
                return True
            if expired.part == "audio":
                rows = await retention.delete_audio(connection, organization_id, meeting_id)
                on_disk = await asyncio.to_thread(self._audio_log.measure, organization_id, file_hash)
            else:
                rows = await retention.delete_transcript(connection, organization_id, meeting_id, QUOTING)
                on_disk = (0, 0)
            await deletions.record(connection, deletion, meeting_id, rows, *on_disk)
            return True

        if not await self._database.run(delete_rows, organization_id=organization_id):
            return False
        await self.deletion.remove_files(deletion)
        return True

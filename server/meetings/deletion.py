"""Deletion of meetings: rows with a receipt first, then files; what a crash leaves between the two is removed later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from server.audio import AudioLog, StoreUnavailable
from server.auth import Caller
from server.errors import MeetingNotFound
from server.storage import (
    Connection,
    Database,
    DatabaseUnavailable,
    NewDeletion,
    UnfinishedDeletion,
    deletions,
    meetings,
)

SWEPT_AT_ONCE = 1000
# A recording in the object store that has no meeting after so long is nobody's.
ORPHAN_AGE = timedelta(hours=1)
# Age in seconds from which a deletion counts as abandoned by the process that began it.
ABANDONED_AFTER_S = 60.0
# Seconds between two looks for deletions that have waited enough, and how many one look takes.
DUE_LOOK_EVERY_S, DUE_AT_ONCE = 1.0, 100
REMOVAL_TRIES, REMOVAL_PAUSE_S = 5, 0.05
LetGo = Callable[[UUID, str], Awaitable[None]]
"""Given organization and file hash."""
log = logging.getLogger(__name__)


class Deletion:
    """Delete meetings and their recordings."""

    def __init__(self, audio_log: AudioLog, database: Database, let_go: LetGo | None = None) -> None:
        """``let_go``: makes this process release a deleted meeting, before its files go; None: it holds none."""
        self._audio_log = audio_log
        self._database = database
        self._let_go = let_go

    async def delete(self, caller: Caller, file_hash: str) -> None:
        """Delete a meeting permanently, with a receipt. Raises MeetingNotFound."""
        organization_id = caller.organization_id
        deletion = NewDeletion(uuid4(), organization_id, file_hash, "meeting", caller.user_id)

        async def delete_rows(connection: Connection) -> bool:
            await meetings.lock_recording(connection, organization_id, file_hash)
            meeting_id = await deletions.lock_meeting(connection, organization_id, file_hash)
            if meeting_id is None:
                # If the connection broke during the commit, the meeting went with the first try.
                return await deletions.is_recorded(connection, organization_id, deletion.id)
            await self.delete_rows(connection, deletion, meeting_id)
            return True

        if not await self._database.run(delete_rows, organization_id=organization_id):
            raise MeetingNotFound
        await self._remove(deletion)

    async def delete_later(self, caller: Caller, file_hash: str, delay_s: int) -> datetime:
        """Let a meeting be deleted after ``delay_s`` seconds, and return when. Raises MeetingNotFound."""
        organization_id = caller.organization_id
        delete_at = await self._database.run(
            lambda c: deletions.wait_for(c, organization_id, file_hash, caller.user_id, timedelta(seconds=delay_s)),
            organization_id=organization_id,
        )
        if delete_at is None:
            raise MeetingNotFound
        return delete_at

    async def call_off(self, caller: Caller, file_hash: str) -> None:
        """Call off the deletion of a meeting, if one waits. Raises MeetingNotFound."""
        organization_id = caller.organization_id
        if not await self._database.run(
            lambda c: deletions.call_off(c, organization_id, file_hash), organization_id=organization_id
        ):
            raise MeetingNotFound

    async def run_due(self) -> None:
        """Carry out deletions when they have waited enough, of all organizations; until cancelled."""
        while True:
            try:
                while await self.delete_due():
                    pass
            except (DatabaseUnavailable, OSError) as error:
                log.warning("deletions that are due wait for the next look: %s", error)
            except Exception:
                log.exception("deletions that are due wait for the next look")
            await asyncio.sleep(DUE_LOOK_EVERY_S)

    async def delete_due(self) -> int:
        """Carry out deletions that have waited enough, of all organizations, and return how many.

        Raises DatabaseUnavailable.
        """
        deleted = 0
        for organization_id, file_hash in await self._database.run(lambda c: deletions.find_due(c, DUE_AT_ONCE)):
            try:
                deleted += await self._delete_due(organization_id, file_hash)
            except (DatabaseUnavailable, OSError) as error:
                # One that the disk does not let go of holds up no other.
                log.error("the deletion of a meeting waits for the next look: %s", error)
        return deleted

    async def _delete_due(self, organization_id: UUID, file_hash: str) -> bool:
        id_ = uuid4()

        async def delete_rows(connection: Connection) -> NewDeletion | UnfinishedDeletion | None:
            await meetings.lock_recording(connection, organization_id, file_hash)
            due = await deletions.lock_due(connection, organization_id, file_hash)
            if due is None:
                # Called off, or carried out by another process; or by the first try, if the connection broke during the
                # commit.
                recorded = await deletions.is_recorded(connection, organization_id, id_)
                return UnfinishedDeletion(organization_id, id_, file_hash, "meeting") if recorded else None
            meeting_id, user_id = due
            deletion = NewDeletion(id_, organization_id, file_hash, "meeting", user_id)
            await self.delete_rows(connection, deletion, meeting_id)
            return deletion

        deletion = await self._database.run(delete_rows, organization_id=organization_id)
        if deletion is None:
            return False
        await self._remove(deletion)
        return True

    async def _remove(self, deletion: NewDeletion | UnfinishedDeletion) -> None:
        """Make this process release the meeting whose rows are gone, and remove its files."""
        if self._let_go is not None:
            await self._let_go(deletion.organization_id, deletion.file_hash)
        await self.remove_files(deletion)

    async def delete_rows(self, connection: Connection, deletion: NewDeletion, meeting_id: UUID) -> None:
        """Delete a meeting's rows and write the receipt, under the lock of the recording."""
        # With an object store, of this machine alone: the transaction waits for none. The rest is counted when it goes.
        on_disk = await asyncio.to_thread(self._audio_log.measure, deletion.organization_id, deletion.file_hash)
        removed = await deletions.delete_meeting(connection, deletion.organization_id, meeting_id)
        await deletions.record(connection, deletion, meeting_id, removed, *on_disk)

    async def remove_files(self, deletion: NewDeletion | UnfinishedDeletion) -> bool:
        """Remove the files of a deletion whose rows are gone, and complete its receipt.

        Returns False if files are left: they are tried again later.
        """
        organization_id, file_hash = deletion.organization_id, deletion.file_hash

        async def remove(connection: Connection) -> bool:
            # Under the lock, since the same recording may be uploaded again at this moment. Where it was, or only the
            # transcript went, the files are those of a meeting that keeps them.
            await meetings.lock_recording(connection, organization_id, file_hash)
            found = (0, 0)
            if not await meetings.keeps_audio(connection, organization_id, file_hash):
                try:
                    found = await self._audio_log.kept.measure(organization_id, file_hash)
                    if not await self._remove_all(organization_id, file_hash):
                        return False
                except OSError as error:
                    # Beyond this it would look like one of the database's connection.
                    log.error("deletion %s: the disk does not let its files go: %s", deletion.id, error.strerror)
                    return False
                except StoreUnavailable as error:
                    log.error("deletion %s: %s", deletion.id, error)
                    return False
            await deletions.finish(connection, organization_id, deletion.id, *found)
            return True

        removed = await self._database.run(remove, organization_id=organization_id)
        if not removed:
            log.error("deletion %s: files could not be removed; they are tried again", deletion.id)
        return removed

    async def _remove_all(self, organization_id: UUID, file_hash: str) -> bool:
        """Remove all files of a recording; return False if some are left after a few tries."""
        for _ in range(REMOVAL_TRIES):
            await self._audio_log.kept.remove(organization_id, file_hash)
            if not (await self._audio_log.kept.measure(organization_id, file_hash))[0]:
                return True
            # A decoder, or a process that takes up a live meeting, may be making its files at this moment.
            await asyncio.sleep(REMOVAL_PAUSE_S)
        return False

    async def finish_abandoned(self, grace_s: float = ABANDONED_AFTER_S) -> int:
        """Complete deletions that a crash interrupted between rows and files, and return how many.

        Args:
            grace_s: age from which a deletion counts as interrupted, seconds.
        """
        unfinished = await self._database.run(lambda c: deletions.find_unfinished(c, grace_s))
        return sum([await self.remove_files(deletion) for deletion in unfinished])

    async def sweep_orphans(self) -> int:
        """Delete recordings without a meeting row that crashes left on this machine; return how many there were."""
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

    async def sweep_kept(self, age: timedelta = ORPHAN_AGE) -> int:
        """Delete recordings that crashes left in the object store without a meeting; return how many there were.

        Args:
            age: since their last file came: an upload sends its recording before its meeting is there.

        Raises DatabaseUnavailable, StoreUnavailable.
        """
        removed = 0
        async with aclosing(self._audio_log.kept.recordings(datetime.now(UTC) - age)) as listed:
            async for organization_id, hashes in listed:
                keeping = await self._database.run(
                    partial(meetings.find_keeping_audio, organization_id=organization_id, file_hashes=hashes),
                    organization_id=organization_id,
                )
                for file_hash in set(hashes) - keeping:
                    removed += await self._remove_kept_orphan(organization_id, file_hash)
        return removed

    async def _remove_kept_orphan(self, organization_id: UUID, file_hash: str) -> bool:
        async def remove(connection: Connection) -> bool:
            # Under the lock, since the same recording may be uploaded again at this moment.
            await meetings.lock_recording(connection, organization_id, file_hash)
            if await meetings.keeps_audio(connection, organization_id, file_hash):
                return False
            await self._audio_log.kept.remove(organization_id, file_hash)
            return True

        return await self._database.run(remove, organization_id=organization_id)


async def _find_existing(connection: Connection, recordings: list[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    return await meetings.find_existing(connection, recordings)

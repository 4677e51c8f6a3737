"""A live meeting's files and its segments in the object store: the one brought up to date from the other."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from server.audio import LiveStore, SegmentsDamaged, StoredMeeting, UpToDate, live_files, sync_directory
from server.disk import DiskReserve, detect_full_disk
from server.live.segment_sender import SegmentSender

# Times that a takeover reads anew while objects go.
TRIES = 5
log = logging.getLogger(__name__)


class StoredAudio:
    """What a holder does with the object store, from its takeover on."""

    def __init__(self, store: LiveStore, folder: Path, disk: DiskReserve, sender: SegmentSender) -> None:
        """
        Args:
            folder: of the meeting's files.
            disk: the disk of ``folder``.
        """
        self._store, self._folder, self._disk = store, folder, disk
        self.sender = sender
        self._fence = 0
        self._before = UpToDate()
        """What the folder said of itself before this holder."""
        self._found: StoredMeeting | None = None
        """What the store had when this holder began; None: it was not asked."""

    async def check_reachable(self, fence: int) -> None:
        """Return if the store answers, or need not be asked by whoever takes the meeting up after holder ``fence``.

        So nobody takes it from a holder, and then cannot go on with it. Raises StoreUnavailable.
        """
        if not await self._is_known(fence):
            await self._store.look()

    async def _is_known(self, fence: int) -> bool:
        """Return whether this folder has all that is durable of the holders up to ``fence``, whatever the store has."""
        before = await asyncio.to_thread(UpToDate.read, self._folder)
        return before.fence == fence and (fence == 0 or not self.sender.acknowledges)

    async def bring_up_to_date(self, fence: int, check_holder: Callable[[], None]) -> None:
        """Make the folder have all that was durable of the holders before, and this process the holder.

        Where the holder before used this folder, and nothing was acknowledged by the store, that is not asked here.

        Raises StoreUnavailable, DiskFull, what ``check_holder`` raises.
        """
        self._fence = fence
        self._before = await asyncio.to_thread(UpToDate.read, self._folder)
        if await self._is_known(fence - 1):
            return
        for tries_left in reversed(range(TRIES)):
            self._found = await self._store.end_earlier(fence, await self._store.look())
            if await asyncio.to_thread(self._before.holds, self._folder, self._found):
                return
            try:
                await self._restore(self._found, check_holder)
            except FileNotFoundError:
                # The holder before joins segments at this moment.
                if not tries_left:
                    raise SegmentsDamaged("segments go while they are read") from None
            else:
                # What the folder said before is void.
                self._before = UpToDate(self._found.fence)
                return

    async def _restore(self, found: StoredMeeting, check_holder: Callable[[], None]) -> None:
        copy = self._folder / f"decoding-restored-{secrets.token_hex(4)}"

        def put_in_place() -> None:
            check_holder()
            for path in live_files(self._folder):
                path.unlink()
            for path in live_files(copy):
                path.rename(self._folder / path.name)
            sync_directory(self._folder)

        with detect_full_disk():
            self._disk.require(sum(stored.size_bytes for stored in found.objects.values()))
            await asyncio.to_thread(copy.mkdir)
            try:
                await self._store.restore(found, copy)
                await asyncio.to_thread(put_in_place)
            finally:
                await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)
        log.info("the audio of a live meeting was fetched from the object store: %d objects", len(found.objects))

    async def begin(self, durable: Callable[[], dict[str, int]], on_sent: Callable[[Mapping[str, int]], None]) -> None:
        """Send from now on, once the files are recovered. Where the store was asked, it has all of them on return.

        Args:
            durable: returns the durable length of each file that is appended to, bytes.
            on_sent: given the lengths that the store has.

        Raises StoreUnavailable, MeetingLost, DiskFull.
        """
        lengths = {path.name: path.stat().st_size for path in await asyncio.to_thread(live_files, self._folder)}
        await asyncio.to_thread(UpToDate(self._fence, lengths).write, self._folder)

        async def find_sent() -> Mapping[str, int]:
            if self._fence == 1:
                # Nobody held it before.
                return {}
            self._found = await self._store.end_earlier(self._fence, await self._store.look())
            return await self._common(self._found, lengths)

        if self._found is not None:
            await self.sender.send_all(self._fence, await self._common(self._found, lengths))
        self.sender.start(self._fence, durable, on_sent, find_sent if self._found is None else None)

    async def _common(self, found: StoredMeeting, lengths: Mapping[str, int]) -> dict[str, int]:
        """Return up to where the store and the files are the same.

        Args:
            lengths: of the files when this holder began, bytes: what the one before sends later may be other audio.
        """
        stored = await self._store.lengths(found)
        common = {name: min(length, lengths.get(name, 0)) for name, length in stored.items()}
        if found.fence < self._before.fence:
            # The holder between them sent nothing. The one that did may have sent, late, what that one did not have.
            common = {name: min(length, self._before.lengths.get(name, length)) for name, length in common.items()}
        return common

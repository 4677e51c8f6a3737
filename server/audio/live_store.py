"""A live meeting in an object store: its segments while it runs, its files once it is finished. See ``segments``."""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.audio.folder_files import sync_directory
from server.audio.kept_files import LIVE_FILE, LIVE_SEGMENTS
from server.audio.object_store import ObjectStore, StoredObject
from server.audio.segments import (
    WHOLE,
    Segment,
    SegmentName,
    SegmentsDamaged,
    in_order,
    over_name,
    segment_names,
)
from server.disk import detect_full_disk

# Segments that are fetched at once, of one meeting; and requests for a few small objects.
FETCHED_AT_ONCE = 8
# Reading may meet a holder that joins segments.
LOOKS = 5


class Superseded(Exception):
    """A later holder has begun: this one's segments count no more."""


@dataclass(frozen=True, slots=True)
class StoredMeeting:
    """What the store has of a live meeting."""

    objects: Mapping[str, StoredObject]
    """By name, those aside that are no part of what was received."""
    segments: Sequence[SegmentName]
    """In their order."""

    @property
    def whole(self) -> bool:
        """Whether the files are there as objects of their own."""
        return WHOLE in self.objects

    @property
    def fence(self) -> int:
        """The last holder that wrote a segment; 0: none."""
        return self.segments[-1].fence if self.segments and not self.whole else 0

    @property
    def files(self) -> list[StoredObject]:
        """The files that are there as objects of their own: a backup put them there, or they are whole."""
        return [stored for name, stored in self.objects.items() if LIVE_FILE.fullmatch(name)]

    @property
    def empty(self) -> bool:
        """Whether nothing was received, as far as the store knows."""
        return not self.segments and not self.files


class LiveStore:
    """The objects of one live meeting."""

    def __init__(self, store: ObjectStore, folder: str, sends: asyncio.Semaphore) -> None:
        """
        Args:
            folder: of the meeting's objects, without a slash at its end.
            sends: bounds the segments that a process sends at once, and so their memory.
        """
        self._store, self._folder, self._sends = store, folder, sends

    async def look(self) -> StoredMeeting:
        """Return what there is. Raises StoreUnavailable."""
        for tries_left in reversed(range(LOOKS)):
            objects = {
                name: stored
                async for stored in self._store.list_below(self._folder)
                if LIVE_FILE.fullmatch(name := stored.key.rpartition("/")[2]) or name.startswith(LIVE_SEGMENTS)
            }
            try:
                return StoredMeeting(objects, () if WHOLE in objects else in_order(segment_names(objects)))
            except SegmentsDamaged:
                # Pages are listed one after the other: segments may have been joined meanwhile.
                if not tries_left:
                    raise
        raise AssertionError

    async def lengths(self, found: StoredMeeting) -> dict[str, int]:
        """Return the lengths of the files, bytes. Raises StoreUnavailable, FileNotFoundError."""
        if found.segments:
            return dict((await self._segment(found.segments[-1])).lengths)
        return {stored.key.rpartition("/")[2]: stored.size_bytes for stored in found.files}

    async def end_earlier(self, fence: int, found: StoredMeeting) -> StoredMeeting:
        """Have no segment count that an earlier holder completes from now on; return what there is after that.

        Raises StoreUnavailable.
        """
        names = [over_name(earlier) for earlier in range(max(1, found.fence), fence)]
        missing = [name for name in names if name not in found.objects]
        if not missing:
            return found
        for start in range(0, len(missing), FETCHED_AT_ONCE):
            group = missing[start : start + FETCHED_AT_ONCE]
            await asyncio.gather(*(self._store.put_bytes(self._key(name), b"") for name in group))
        return await self.look()

    async def append(self, name: SegmentName, raw: bytes) -> None:
        """Make a segment durable. Safe to repeat with the same bytes.

        Raises Superseded if it does not count any more, StoreUnavailable.
        """
        async with self._sends:
            await self._store.put_bytes(self._key(name.text), raw)
        if await self._store.find(self._key(over_name(name.fence))) is not None:
            raise Superseded(f"a later holder than {name.fence} has begun")

    async def join(self, name: SegmentName, raw: bytes) -> None:
        """Put one object in the place of several of a holder's segments. Raises StoreUnavailable."""
        async with self._sends:
            await self._store.put_bytes(self._key(name.text), raw)
        single = [SegmentName(name.fence, number, number) for number in range(name.first, name.last + 1)]
        await self._store.delete([self._key(one.text) for one in single])

    async def restore(self, found: StoredMeeting, folder: Path, only: Collection[str] | None = None) -> None:
        """Write the files into a folder without them, durably.

        Args:
            only: names of files that are wanted; others may come as well.

        Raises StoreUnavailable, DiskFull, FileNotFoundError if objects went meanwhile.
        """
        with detect_full_disk():
            for stored in found.files:
                name = stored.key.rpartition("/")[2]
                if only is None or name in only or not found.whole:
                    with (folder / name).open("xb") as file:
                        await self._store.fetch(stored, file)
            async for segment in self._fetched(found.segments):
                await asyncio.to_thread(_carry_out, folder, segment)
            await asyncio.to_thread(_sync, folder)

    async def put_files(self, paths: Sequence[Path]) -> None:
        """Make files objects of their own. Raises StoreUnavailable, FileNotFoundError."""
        for path in paths:
            async with self._sends:
                await self._store.put(self._key(path.name), path)

    async def mark_whole(self, facts: Mapping[str, Any]) -> None:
        """Have the files count that were put, and segments no more. Raises StoreUnavailable."""
        await self._store.put_bytes(self._key(WHOLE), json.dumps(facts).encode())

    async def facts(self) -> dict[str, Any]:
        """Return what was said with ``mark_whole``. Raises StoreUnavailable, FileNotFoundError if nothing was."""
        facts: dict[str, Any] = json.loads(await self._store.read_whole(self._key(WHOLE)))
        return facts

    async def remove_segments(self) -> None:
        """Delete the segments of a meeting that is whole; who is no holder any more finds out still.

        Raises StoreUnavailable.
        """
        listed = [stored.key async for stored in self._store.list_below(self._folder)]
        await self._store.delete([key for key in listed if segment_names([key.rpartition("/")[2]])])

    async def remove_all(self) -> None:
        """Delete every object of the meeting. Raises StoreUnavailable."""
        await self._store.delete([stored.key async for stored in self._store.list_below(self._folder)])

    async def _fetched(self, names: Sequence[SegmentName]) -> AsyncGenerator[Segment, None]:
        waiting: deque[asyncio.Task[Segment]] = deque()
        left = deque(names)
        try:
            while left or waiting:
                while left and len(waiting) < FETCHED_AT_ONCE:
                    waiting.append(asyncio.create_task(self._segment(left.popleft())))
                yield await waiting[0]
                waiting.popleft()
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _segment(self, name: SegmentName) -> Segment:
        raw = await self._store.read_whole(self._key(name.text))
        return await asyncio.to_thread(Segment.decode, raw)

    def _key(self, name: str) -> str:
        return f"{self._folder}/{name}"


def _carry_out(folder: Path, segment: Segment) -> None:
    for grown in segment.grown:
        with os.fdopen(os.open(folder / grown.name, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            if file.seek(0, os.SEEK_END) < grown.start:
                raise SegmentsDamaged(f"{grown.name} ends before {grown.start}, where a segment of it begins")
            file.truncate(grown.start)
            file.seek(grown.start)
            file.write(grown.data)


def _sync(folder: Path) -> None:
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sync_directory(folder)

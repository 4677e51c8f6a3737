"""The durable audio of a live meeting: appended, synced, and only then acknowledged.

Of each track there is one file of what came, as it came. A file that ends in half a sample or
half a packet, after a crash, is cut back to what is whole: none of that was acknowledged.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from server.audio import positions, positions_of_log, sync_directory, to_log
from server.disk import DiskFull, writing
from server.errors import AudioNotStored, HeldByAnotherServer, MeetraError
from server.live.config import Track

# Audio received and not yet on disk, of all tracks together: more than that waits at the client.
MAX_BACKLOG_BYTES = 4 * 1024 * 1024
# Syncs are shared by what comes within this time, half a block of the engine. All meetings of a process sync at the
# same moments: what follows from that, reading, sending and acknowledging, is then done for all at once, which is
# a quarter of the server's work for a live meeting less (measured with 8 of them).
COMMIT_EVERY_S = 0.256
READ_BYTES = 64 * 1024


class HeldElsewhere(Exception):
    """Another process on this machine writes the meeting."""


@dataclass(slots=True)
class TrackLog:
    """One track's file. Positions count as in its encoding."""

    track: Track
    path: Path
    accepted: int = 0
    """Everything before is received."""
    committed: int = 0
    """Everything before is on disk."""
    committed_bytes: int = 0
    pending: list[bytes] = field(default_factory=list)

    def recover(self) -> None:
        """Finds what is on disk, and cuts off what is not whole."""
        with self.path.open("a+b") as file:
            file.seek(0)
            self.committed, self.committed_bytes = positions_of_log(self.track.format, file)
            file.truncate(self.committed_bytes)
            os.fsync(file.fileno())
        self.accepted = self.committed


class MeetingAudio:
    """The track logs of one meeting, held by this process alone from ``open`` to ``close``."""

    def __init__(self, logs: list[TrackLog], holder: Path, syncing: ThreadPoolExecutor) -> None:
        self.logs = logs
        self._holder_path = holder
        self._holder: IO[str] | None = None
        self._syncing = syncing
        self._backlog = 0
        self._work = asyncio.Event()
        self._moved = asyncio.Condition()
        self._committer: asyncio.Task[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        self.ended = False

    async def open(self) -> None:
        """Takes hold of the files and finds where they stand. Raises HeldElsewhere, DiskFull."""
        await asyncio.get_running_loop().run_in_executor(self._syncing, self._open)
        self._committer = asyncio.create_task(self._commit_always(), name="audio log")

    def _open(self) -> None:
        folder = self._holder_path.parent
        with writing():
            folder.mkdir(parents=True, exist_ok=True)
            holder = self._holder_path.open("w")
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder.close()
            raise HeldElsewhere(f"{folder.name} is written by another process") from None
        try:
            with writing():
                for log in self.logs:
                    log.recover()
                for path in (folder, *list(folder.parents)[:3]):
                    sync_directory(path)
        except BaseException:
            holder.close()
            raise
        self._holder = holder

    async def append(self, log: TrackLog, data: bytes) -> None:
        """Takes a chunk that begins at ``log.accepted``; waits while too much is on its way to disk."""
        log.accepted += positions(log.track.format, data)
        record = to_log(log.track.format, data)
        log.pending.append(record)
        self._backlog += len(record)
        self._work.set()
        if self._backlog > MAX_BACKLOG_BYTES:
            async with self._moved:
                await self._moved.wait_for(lambda: self._backlog <= MAX_BACKLOG_BYTES or self._failed())

    async def committed(self) -> None:
        """Returns once everything accepted so far is on disk.

        Raises AudioNotStored when the disk is full, HeldByAnotherServer when it fails in another way, or the files are
        let go of before.
        """
        wanted = [log.accepted for log in self.logs]
        async with self._moved:
            await self._moved.wait_for(
                lambda: self._failed() or all(log.committed >= w for log, w in zip(self.logs, wanted, strict=True))
            )
        if self._failed():
            raise self.failure()

    def failure(self) -> MeetraError:
        """What a client is to know of files that are written no more."""
        committer = self._committer
        if committer is None or not committer.done() or committer.cancelled():
            return HeldByAnotherServer()
        return AudioNotStored() if isinstance(committer.exception(), DiskFull) else HeldByAnotherServer()

    async def stands(self) -> None:
        """Returns once the files are let go of. Raises DiskFull or OSError when they can be written no more."""
        assert self._committer is not None
        await asyncio.wait({self._committer})
        if not self._committer.cancelled():
            self._committer.result()

    def _failed(self) -> bool:
        return self._committer is not None and self._committer.done()

    async def moved(self, of: list[int]) -> None:
        """Returns once any track's committed position differs from ``of``, or no more audio comes."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.ended or [log.committed for log in self.logs] != of)

    async def end(self) -> None:
        """No more audio comes."""
        await self.committed()
        self.ended = True
        async with self._moved:
            self._moved.notify_all()

    async def _commit_always(self) -> None:
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                taken = [(log, log.accepted, b"".join(log.pending)) for log in self.logs if log.pending]
                for log, _, _ in taken:
                    log.pending = []
                self._writing = asyncio.get_running_loop().run_in_executor(self._syncing, _write, taken)
                await asyncio.shield(self._writing)
                for log, accepted, data in taken:
                    log.committed = accepted
                    log.committed_bytes += len(data)
                    self._backlog -= len(data)
                async with self._moved:
                    self._moved.notify_all()
                await asyncio.sleep(COMMIT_EVERY_S - time.monotonic() % COMMIT_EVERY_S)
        finally:
            async with self._moved:
                self._moved.notify_all()

    async def read(self, log: TrackLog) -> AsyncGenerator[bytes, None]:
        """The bytes of a track's log from its beginning, as they become durable, until no more comes."""
        position = 0
        with log.path.open("rb") as file:
            while True:
                size = min(READ_BYTES, log.committed_bytes - position)
                if size > 0:
                    # What has just been written is in memory: no trip to a thread for it.
                    data = file.read(size) if size < READ_BYTES else await asyncio.to_thread(file.read, size)
                    position += len(data)
                    yield data
                elif self.ended:
                    return
                else:
                    async with self._moved:
                        while not self.ended and log.committed_bytes <= position:
                            await self._moved.wait()

    async def close(self) -> None:
        """Lets go of the files; what was not acknowledged may be lost."""
        if self._committer is not None:
            self._committer.cancel()
            await asyncio.gather(self._committer, return_exceptions=True)
        if self._writing is not None:
            # A thread that writes cannot be stopped, and whoever holds the files next must not meet it.
            await asyncio.gather(self._writing, return_exceptions=True)
        if self._holder is not None:
            self._holder.close()
            self._holder = None


def _write(taken: list[tuple[TrackLog, int, bytes]]) -> None:
    for log, _, data in taken:
        with writing(), log.path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

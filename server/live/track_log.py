"""The durable audio of a live meeting: appended, synced, then acknowledged.

With an object store what is synced is sent there too, and by the policy ``remote`` acknowledged only once it is there:
then nothing is told of audio that one lost machine could take along.

There is one file per source, with the bytes as received, and beside it one of its edits: silence that is filled in,
samples that are left out. Edits are written before the audio that follows them. After a crash a trailing partial sample
or packet is truncated, and edits without audio after them: none was ever acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from server.audio import (
    Edit,
    chunk_positions,
    encode_record,
    sync_directory,
)
from server.disk import DiskFull, detect_full_disk
from server.errors import AudioNotStored, HeldByAnotherServer, MeetraError
from server.live.config import LiveTrack
from server.live.log_fence import Holder, LogFence
from server.live.source_log import TrackLog, Write, write_batch
from server.live.stored_audio import StoredAudio
from server.storage import MeetingLost

# Limit of audio received but not yet on disk, over all tracks; beyond it clients wait.
MAX_BACKLOG_BYTES = 4 * 1024 * 1024
# Audio of this time shares one sync; it is half an engine block. All meetings of a process sync at the same moments, so
# that reading, sending and acknowledging are batched too: a quarter less work for the server per live meeting (measured
# with 8).
COMMIT_EVERY_S = 0.256
# Calls of a meeting that may wait for the audio before theirs: each holds up to a chunk.
MAX_WAITING_CALLS = 32
# For how long a holder that lets go waits until the object store has what it acknowledged, seconds.
LET_GO_S = 10.0
READ_BYTES = 64 * 1024
ON_DISK_ALONE = "The object store lacks audio of this meeting: it is on the server's disk alone. Nothing is lost."
ACKNOWLEDGED_LATE = "The object store takes no audio: it is acknowledged once it does. Nothing is lost."
log = logging.getLogger(__name__)


class HeldByAnotherProcess(Exception):
    """Another process holds the meeting's files."""


class MeetingAudio:
    """The track logs of one meeting, exclusive to this process from ``open`` to ``close``."""

    def __init__(
        self,
        logs: list[TrackLog],
        lock_path: Path,
        sync_executor: ThreadPoolExecutor,
        stored: StoredAudio | None = None,
    ) -> None:
        """
        Args:
            lock_path: of the markers of holders, see ``LogFence``.
            stored: the meeting in the object store; None: there is none.
        """
        self.logs = logs
        self._stored = stored
        self._sender = None if stored is None else stored.sender
        self._folder = lock_path.parent
        self._fence = LogFence(lock_path)
        self._sync_executor = sync_executor
        self._backlog = 0
        self._work = asyncio.Event()
        self._urgent = asyncio.Event()
        """Set while somebody waits for audio to be durable: it is synced at once, with what else has come."""
        self._received = asyncio.Condition()
        self._waiting_calls = 0
        self._commit_done = asyncio.Condition()
        self._committer: asyncio.Task[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._nudging: set[asyncio.Task[None]] = set()
        self.ended = False

    async def newest_holder(self) -> Holder:
        """Return who held the meeting last, as far as its files tell."""
        return await asyncio.get_running_loop().run_in_executor(self._sync_executor, self._fence.newest)

    async def open(self, fence: int | None = None, *, renew: bool = False) -> None:
        """Become the holder of the files and recover their positions.

        Args:
            fence: the number of this holder, higher than all before; None: the next one, if none of this machine lives.
            renew: see ``LogFence.claim``.

        Raises HeldByAnotherProcess without a number, MeetingLost with one, DiskFull; with an object store as
        ``StoredAudio.bring_up_to_date``.
        """
        await asyncio.get_running_loop().run_in_executor(self._sync_executor, self._open, fence, renew)
        if self._stored is not None and fence is not None:
            await self._stored.bring_up_to_date(fence, self._fence.check)
        self._committer = asyncio.create_task(self._commit_loop(), name="audio log")

    def _open(self, fence: int | None, renew: bool) -> None:
        if fence is None:
            newest = self._fence.newest()
            if newest.locks:
                raise HeldByAnotherProcess(f"{self._folder.name} is written by another process")
            fence = newest.fence + 1
        self._fence.claim(fence, renew=renew)
        try:
            with detect_full_disk():
                for log in self.logs:
                    log.recover(self._fence.check)
                for path in (self._folder, *list(self._folder.parents)[:3]):
                    sync_directory(path)
        except BaseException:
            self._fence.release()
            raise

    async def begin(self) -> None:
        """Let audio come, once all files are recovered; with an object store as ``StoredAudio.begin``."""
        if self._stored is not None:
            await self._stored.begin(self._sizes, self._on_sent)
            assert self._stored.sender.task is not None
            # Whoever waits for the store is told that nothing comes.
            self._stored.sender.task.add_done_callback(lambda _: self._notify_soon())

    def _sizes(self) -> dict[str, int]:
        return {name: size for log in self.logs for name, size in log.sizes().items()}

    def _on_sent(self, lengths: Mapping[str, int]) -> None:
        """Acknowledge what the object store has."""
        for log in self.logs:
            while log.unsent and all(lengths.get(n, 0) >= size for n, size in log.sizes_at(log.unsent[0]).items()):
                log.commit(log.unsent.pop(0))
        self._notify_soon()

    @property
    def behind_s(self) -> float:
        """For how long this disk has had the oldest audio that the object store lacks, seconds; 0: it lacks none."""
        return 0.0 if self._sender is None else self._sender.behind_s()

    @property
    def waits_for_store(self) -> bool:
        """Whether audio is acknowledged only once the object store has it."""
        return self._sender is not None and self._sender.acknowledges

    @property
    def behind(self) -> str:
        """What it means, for people, that the object store lacks audio for long; empty where it does not."""
        if self._sender is None or not self._sender.is_late:
            return ""
        return ACKNOWLEDGED_LATE if self.waits_for_store else ON_DISK_ALONE

    async def cut_added(self) -> None:
        """Have a cut that is on disk sent; return once it is durable by the policy."""
        if self._sender is not None:
            self._sender.note(cut=True)
            if self._sender.acknowledges:
                await self._sender.wait_until_sent()

    def check_holder(self) -> None:
        """Return if this process is the holder of the files still. Raises MeetingLost."""
        self._fence.check()

    async def create(self, logs: Sequence[TrackLog]) -> None:
        """Create the files of further sources, durably, or recover their positions; ``add`` them then.

        Raises MeetingLost, DiskFull, FileNotFoundError without the meeting's folder.
        """

        def create() -> None:
            with detect_full_disk():
                for log in logs:
                    log.recover(self._fence.check)
                sync_directory(self._folder)

        await asyncio.get_running_loop().run_in_executor(self._sync_executor, create)

    def add(self, logs: Sequence[TrackLog]) -> None:
        """Take audio of further sources, whose files were created."""
        self.logs += logs

    async def end_track(self, log: TrackLog, track: LiveTrack) -> None:
        """Take no more audio of a source, which is ``track`` from now on; what was accepted is read to its end."""
        log.track = track
        await self._notify()

    def has_ended(self, log: TrackLog) -> bool:
        """Return whether no more audio of a source comes."""
        return self.ended or log.complete

    async def append(self, log: TrackLog, *pieces: bytes, edits: Sequence[Edit] = ()) -> None:
        """Queue a chunk that starts at ``log.accepted``; wait while the backlog is over its limit.

        Args:
            pieces: bytes in the track's encoding; each Opus packet is a piece of its own.
            edits: of the track, directly before the chunk.
        """
        for edit in edits:
            log.edit(edit)
        for piece in pieces:
            positions = chunk_positions(log.track.format, piece)
            log.accepted += positions
            log.recorded += positions
            log.length += positions
            record = encode_record(log.track.format, piece)
            log.pending.append(record)
            self._backlog += len(record)
        self._work.set()
        if self._waiting_calls:
            async with self._received:
                self._received.notify_all()
        if self._backlog > MAX_BACKLOG_BYTES:
            async with self._commit_done:
                await self._commit_done.wait_for(lambda: self._backlog <= MAX_BACKLOG_BYTES or self._has_failed())

    async def wait_for_earlier(self, track_id: str, position: int, patience_s: float) -> None:
        """Wait until the audio of a track before ``position`` has been accepted, for at most ``patience_s``.

        Return at once for an unknown track, and where too many calls wait already.
        """
        log = next((log for log in self.logs if log.track.track_id == track_id), None)
        if log is None or log.accepted >= position or self._waiting_calls >= MAX_WAITING_CALLS:
            return
        self._waiting_calls += 1
        try:
            async with asyncio.timeout(patience_s), self._received:
                await self._received.wait_for(lambda: log.accepted >= position)
        except TimeoutError:
            return
        finally:
            self._waiting_calls -= 1

    async def wait_until_committed(self, log: TrackLog | None = None, position: int = 0) -> None:
        """Wait until everything accepted so far is on disk, or one log up to ``position``.

        Raises AudioNotStored when the disk is full, HeldByAnotherServer on any other failure or when the files were
        closed before.
        """
        targets = [(log, position)] if log is not None else [(log, log.accepted) for log in self.logs]

        def committed() -> bool:
            return all(log.committed >= target for log, target in targets)

        if not committed():
            self._urgent.set()
            if self._sender is not None and self._sender.acknowledges:
                self._sender.note(hurry=True)
        async with self._commit_done:
            await self._commit_done.wait_for(lambda: self._has_failed() or committed())
        if not committed():
            raise self.failure()

    def failure(self) -> MeetraError:
        """Return the error for clients once the files can no longer be written."""
        committer = self._committer
        if committer is None or not committer.done() or committer.cancelled():
            return HeldByAnotherServer()
        return AudioNotStored() if isinstance(committer.exception(), DiskFull) else HeldByAnotherServer()

    async def wait_until_closed(self) -> None:
        """Wait until the files are closed. Raises MeetingLost, DiskFull or OSError when writing fails."""
        assert self._committer is not None
        sending = None if self._sender is None else self._sender.task
        await asyncio.wait({self._committer, *([sending] if sending else [])}, return_when=asyncio.FIRST_COMPLETED)
        if sending is not None and sending.done() and not sending.cancelled():
            error = sending.exception()
            if isinstance(error, MeetingLost) or self.waits_for_store:
                sending.result()
            log.error("a live meeting's audio is on this disk alone from now on", exc_info=error)
            await asyncio.wait({self._committer})
        if self._committer.done() and not self._committer.cancelled():
            self._committer.result()

    def _has_failed(self) -> bool:
        failed = self._committer is not None and self._committer.done()
        return failed or (self.waits_for_store and self._sender is not None and self._sender.failed)

    async def wait_for_commit(self, positions: list[int]) -> None:
        """Wait until the committed positions differ from ``positions``, one per log, or the audio has ended."""
        async with self._commit_done:
            await self._commit_done.wait_for(lambda: self.ended or [log.committed for log in self.logs] != positions)

    async def wait_for_more(self, log: TrackLog, position: int) -> None:
        """Wait until a log has more than ``position`` durable bytes, or its audio has ended."""
        async with self._commit_done:
            await self._commit_done.wait_for(lambda: self.has_ended(log) or log.committed_bytes > position)

    def nudge(self, log: TrackLog) -> None:
        """Have the log's readers yield an empty chunk now, if they wait."""
        log.nudges += 1
        self._notify_soon()

    def _notify_soon(self) -> None:
        self._nudging.add(task := asyncio.create_task(self._notify()))
        task.add_done_callback(self._nudging.discard)

    async def _notify(self) -> None:
        async with self._commit_done:
            self._commit_done.notify_all()

    async def end(self) -> None:
        """Mark the audio as complete, once all of it is durable."""
        await self.wait_until_committed()
        self.ended = True
        async with self._commit_done:
            self._commit_done.notify_all()

    async def _commit_loop(self) -> None:
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                batch = [Write.of(log) for log in self.logs if log.pending]
                self._writing = asyncio.get_running_loop().run_in_executor(
                    self._sync_executor, write_batch, batch, self._fence.check
                )
                await asyncio.shield(self._writing)
                for write in batch:
                    write.log.synced = write.extent
                    self._backlog -= len(write.data)
                    if self.waits_for_store:
                        write.log.add_unsent()
                    else:
                        write.log.commit(write.log.synced)
                if self._sender is not None:
                    self._sender.note()
                async with self._commit_done:
                    self._commit_done.notify_all()
                with suppress(TimeoutError):
                    async with asyncio.timeout(COMMIT_EVERY_S - time.monotonic() % COMMIT_EVERY_S):
                        await self._urgent.wait()
                self._urgent.clear()
        finally:
            async with self._commit_done:
                self._commit_done.notify_all()

    async def read(
        self, log: TrackLog, patience_s: Callable[[], float | None] = lambda: None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a track's log from its beginning as they become durable, until its audio ends.

        No file is open between two reads: meetings may have many tracks, and a process few descriptors.

        Args:
            patience_s: how long to wait for more before an empty chunk is yielded, seconds; None: however long.
        """
        position = 0
        while True:
            size = min(READ_BYTES, log.committed_bytes - position)
            if size > 0:
                # Recently written bytes are in the page cache: not worth a thread.
                whole = size == READ_BYTES
                read = partial(_read, log.path, position, size)
                data = await asyncio.to_thread(read) if whole else read()
                position += len(data)
                yield data
            elif self.has_ended(log):
                return
            elif not await self._grows(log, position, patience_s()):
                yield b""

    async def _grows(self, log: TrackLog, position: int, patience_s: float | None) -> bool:
        """Return False if a log still ends at ``position`` after ``patience_s`` or a nudge; True once it grows or
        ends."""
        nudges = log.nudges
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s), self._commit_done:
                await self._commit_done.wait_for(
                    lambda: self.has_ended(log) or log.committed_bytes > position or log.nudges != nudges
                )
        return self.has_ended(log) or log.committed_bytes > position

    async def close(self, *, deleted: bool = False) -> None:
        """Close the files; unacknowledged audio may be lost. With an object store what is acknowledged is there then.

        Args:
            deleted: whether the meeting was: nothing of it is sent any more.
        """
        if self._committer is not None:
            self._committer.cancel()
            await asyncio.gather(self._committer, return_exceptions=True)
        if self._writing is not None:
            # A writing thread cannot be cancelled, and the next holder must not write concurrently with it.
            await asyncio.gather(self._writing, return_exceptions=True)
        if self._sender is not None:
            await self._sender.close(0.0 if deleted else LET_GO_S)
        self._fence.release()


def _read(path: Path, position: int, size: int) -> bytes:
    """Return ``size`` bytes of a file that has them."""
    with path.open("rb", buffering=0) as file:
        data = os.pread(file.fileno(), size, position)
    if not data:
        raise OSError(f"{path.name} is shorter than what was written to it")
    return data

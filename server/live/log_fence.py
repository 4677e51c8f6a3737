"""Who may write into a live meeting's files: the process whose marker is in their folder, ``holder-<fence>``.

A process that takes a meeting up makes its marker and removes older ones. Who holds a marker looks for it after a file
is opened, before it is written, and again before what was written counts: a process that stood still while another one
took the meeting up finds its marker gone, acknowledges nothing, and writes at most into files that the other one does
not use any more.

A marker is locked for as long as its process lives and holds the meeting, so that another process of the same machine
can tell whether it does. On other machines the lease in the database tells.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from server.audio import sync_directory
from server.disk import detect_full_disk
from server.storage import MeetingLost

# What the holder of a meeting writes.
WRITTEN = ("track-*.log", "track-*.edits", "cuts-*")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Holder(NamedTuple):
    """The newest holder that a folder knows."""

    fence: int
    """0: none."""
    locks: bool
    """Whether a process has its marker locked."""


def this_machine() -> str:
    """Return what tells this machine from others, and from itself before it was started the last time."""
    with suppress(OSError):
        return BOOT_ID.read_text().strip()
    return platform.node()


class LogFence:
    """The marker of one process in a meeting's folder. Blocking: use it off the event loop, but for ``check``."""

    def __init__(self, marker: Path) -> None:
        """``marker``: path of the markers, without their numbers."""
        self._base = marker
        self._path: Path | None = None
        self._file: IO[str] | None = None

    def newest(self) -> Holder:
        """Return the newest holder; none where the meeting has no folder yet."""
        fences = self._fences()
        if not fences:
            return Holder(0, False)
        try:
            with self._marker(max(fences)).open("r+") as file:
                return Holder(max(fences), not _lock(file))
        except FileNotFoundError:
            # Removed by the next one.
            return Holder(max(fences), True)

    def claim(self, fence: int, *, renew: bool) -> None:
        """Become the holder, whoever was it.

        Args:
            renew: whether the holder before may still have files open to write: it is left with those, and the meeting
                goes on in copies.

        Raises MeetingLost if a newer holder is there, DiskFull.
        """
        folder, path = self._base.parent, self._marker(fence)
        with detect_full_disk():
            folder.mkdir(parents=True, exist_ok=True)
            # Locked before others see it.
            new = path.with_name(f".{path.name}.{os.getpid()}")
            file = new.open("w")
            try:
                _lock(file)
                new.replace(path)
            except BaseException:
                file.close()
                raise
        self._path, self._file = path, file
        # After this one is there: of two that come at once, the older sees the newer, or is removed by it.
        fences = self._fences()
        if max(fences, default=0) > fence:
            self.release()
            path.unlink(missing_ok=True)
            raise MeetingLost(f"{folder.name} is held by a newer process")
        for older in fences:
            if older < fence:
                self._marker(older).unlink(missing_ok=True)
        sync_directory(folder)
        if renew:
            with detect_full_disk():
                for pattern in WRITTEN:
                    for written in sorted(folder.glob(pattern)):
                        _copy_in_place(written)
                sync_directory(folder)

    def check(self) -> None:
        """Return if this process is the holder still. Raises MeetingLost."""
        if self._path is None or not self._path.exists():
            raise MeetingLost(f"{self._base.parent.name} is held by another process")

    def release(self) -> None:
        """Let others know that this process writes nothing any more. Idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _marker(self, fence: int) -> Path:
        return self._base.with_name(f"{self._base.name}-{fence}")

    def _fences(self) -> list[int]:
        names = (path.name.rpartition("-")[2] for path in self._base.parent.glob(f"{self._base.name}-*"))
        return [int(name) for name in names if name.isascii() and name.isdigit()]


def _lock(file: IO[str]) -> bool:
    """Lock a file, and return whether no other process has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _copy_in_place(path: Path) -> None:
    """Put a durable copy in the place of a file."""
    copy = path.with_name(f".{path.name}.copy")
    shutil.copyfile(path, copy)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    copy.replace(path)

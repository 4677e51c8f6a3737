"""Full disks: foreseen where possible, and else distinguished from all other I/O failures.

The data being written is not at fault.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The disk or the user's quota is full.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# The error code that child processes report.
FULL_CODE = "disk_full"


class DiskFull(Exception):
    """The server's disk is full. Not an OSError, since an immediate retry does not help."""

    def __init__(self, facts: str = "") -> None:
        """
        Args:
            facts: for the log: what is free, and what is needed.
        """
        super().__init__(f"the server's disk is full{facts and f': {facts}'}")


class DiskReserve:
    """Room on a disk that uploads and decoding leave free: for audio that is acknowledged, and for the database."""

    def __init__(self, folder: Path, reserve_bytes: int) -> None:
        """
        Args:
            folder: a folder on the disk; it may be yet to be made.
            reserve_bytes: what must stay free, bytes; 0 uses the disk up.
        """
        self._folder, self._reserve_bytes = folder, reserve_bytes

    def require(self, more_bytes: int = 0) -> None:
        """Check that the reserve is free beside ``more_bytes`` about to be written. Raises DiskFull."""
        free = free_bytes(self._folder)
        if free < more_bytes + self._reserve_bytes:
            raise DiskFull(f"{free} bytes are free, {more_bytes} are to come, {self._reserve_bytes} stay free")


def free_bytes(folder: Path) -> int:
    """Return what is free on the disk of a folder, which may be yet to be made, bytes."""
    existing = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    disk = os.statvfs(existing)
    return disk.f_bavail * disk.f_frsize


@contextmanager
def detect_full_disk() -> Iterator[None]:
    """Convert an OSError for a full disk to DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull from error
        raise

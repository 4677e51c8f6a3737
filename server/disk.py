"""Full disks, distinguished from all other I/O failures: the data being written is not at fault."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

# The disk or the user's quota is full.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# The error code that child processes report.
FULL_CODE = "disk_full"


class DiskFull(Exception):
    """The server's disk is full. Not an OSError, since an immediate retry does not help."""

    def __init__(self) -> None:
        super().__init__("the server's disk is full")


@contextmanager
def detect_full_disk() -> Iterator[None]:
    """Convert an OSError for a full disk to DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull from error
        raise

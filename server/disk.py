"""A disk without room: told apart from every other fault, for nothing is wrong with what was to be written."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

# No room on the disk, or none left of what the user may have of it.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# What a child calls it.
FULL_CODE = "disk_full"


class DiskFull(Exception):
    """The server's disk has no room. Not an OSError: trying again at once does not help."""

    def __init__(self) -> None:
        super().__init__("the server's disk is full")


@contextmanager
def writing() -> Iterator[None]:
    """Raises DiskFull where the system says that there is no room."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull from error
        raise

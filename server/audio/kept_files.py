"""Where the files of recordings are kept for good: what the rest of the server knows of it.

A file belongs to a recording, by organization and hash, and has a name of its own. It is there whole or not at all.
``FolderFiles`` keeps them in the audio log's own folder, ``ObjectFiles`` in an object store.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

UPLOADED = "original"
"""Name of a recording as it was uploaded."""
PLAYBACK = "playback-"
"""What the names of a meeting's sound for players begin with."""
LIVE_FILE = re.compile(r"track-\d{1,4}\.(log|edits)|cuts-\d{1,4}")
"""Names of what the holder of a live meeting writes."""
LIVE_SEGMENTS = "live-"
"""What the names of a live meeting's segments in an object store begin with, and of what is said of them there."""


def is_kept(name: str) -> bool:
    """Return whether files of this name are kept files; all others are of this machine alone.

    The files of a live meeting become kept files once it is finished.
    """
    return name == UPLOADED or name.startswith((PLAYBACK, LIVE_SEGMENTS)) or LIVE_FILE.fullmatch(name) is not None


class FileNotSent(Exception):
    """A file that was to be kept is gone: its recording was deleted meanwhile, or it was taken for an orphan's."""


class RecordingMissing(Exception):
    """The file of a recording is not where it is kept."""

    def __init__(self) -> None:
        super().__init__("the recording is not where recordings are kept")


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file without reading it."""

    size_bytes: int
    modified_at: float
    """Seconds since 1970."""


class FileReader(Protocol):
    """An open file."""

    async def read(self, size: int, /) -> bytes:
        """Return the next bytes, up to ``size``; none at the end."""

    async def seek(self, position: int, /) -> int:
        """Go on at ``position``."""


class KeptFile(Protocol):
    """A file that may be there."""

    async def find(self) -> FileFacts | None:
        """Return what is known of the file; None if it is not there. Raises StoreUnavailable."""

    def open(self) -> AbstractAsyncContextManager[FileReader]:
        """Open the file. Raises FileNotFoundError, here or on reading; StoreUnavailable."""


class KeptFiles(Protocol):
    """The kept files of all recordings."""

    async def send(self, organization_id: UUID, file_hash: str, files: Mapping[str, Path]) -> bool:
        """Bring files to where they are kept, one after the other, if that takes long; ``keep`` completes it.

        Returns whether they are there now: they have to be removed unless they are kept. Raises StoreUnavailable.
        """

    async def keep(self, organization_id: UUID, file_hash: str, files: Mapping[str, Path]) -> None:
        """Make sent files durable under their names, one after the other. Safe to repeat.

        Call it under the lock of the recording, as all that deletes files does.

        Args:
            files: by name; they may be moved.

        Raises FileNotSent, DiskFull, StoreUnavailable.
        """

    def file(self, organization_id: UUID, file_hash: str, name: str) -> KeptFile:
        """Return a file, which may not be there."""

    def local(self, organization_id: UUID, file_hash: str, name: str) -> AbstractAsyncContextManager[Path | None]:
        """Have a file on this machine's disk for as long as the context lasts; None if it is not there.

        Raises StoreUnavailable, DiskFull, OSError for a link.
        """

    async def open(self, organization_id: UUID, file_hash: str, name: str) -> BinaryIO | None:
        """Open a file: what is deleted from now on is still read. None if it is not there.

        Raises StoreUnavailable, DiskFull, OSError for a link.
        """

    async def measure(self, organization_id: UUID, file_hash: str) -> tuple[int, int]:
        """Return the number of a recording's files, those of this machine included, and their size together, bytes.

        Raises StoreUnavailable.
        """

    async def remove(self, organization_id: UUID, file_hash: str) -> None:
        """Delete all files of a recording, those of this machine included. Raises StoreUnavailable."""

    async def remove_others(self, organization_id: UUID, file_hash: str, prefix: str, but: Collection[str]) -> None:
        """Delete files whose names begin with ``prefix`` in the order of their names, those in ``but`` aside.

        Raises StoreUnavailable.
        """

    def recordings(self, before: datetime) -> AsyncGenerator[tuple[UUID, list[str]], None]:
        """Yield the recordings kept elsewhere than on this machine, some of an organization at a time, by their hashes.

        Args:
            before: only those of which no file is newer.

        Raises StoreUnavailable.
        """

"""The audio log on local disk: where recordings are durable before anybody is told that they are.

``<root>/<organization>/<hash[:2]>/<hash>/original`` holds the uploaded bytes; beside it
``pcm_s16le_16k.raw`` and ``pcm_s16le_16k.json`` hold the decoded audio once it is complete, and where
channels are kept apart ``pcm_s16le_16k-<channel>.raw`` and ``pcm_s16le_16k.channels.json``.
Everything comes into being under another name and is renamed when whole, so a file with its
own name is never half a file.

A live meeting has a folder of the same kind: ``track-<n>.log`` holds what came of each track, as
it came, and grows while the meeting goes on; ``holder`` is locked by the process that writes it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from types import TracebackType
from typing import BinaryIO
from uuid import UUID

from server.disk import writing

# What an upload leaves behind when the server is killed under it.
LEFTOVER_AGE_S = 24 * 3600


class SizeLimitExceeded(Exception):
    """More bytes than allowed were written."""


def sync_directory(path: Path) -> None:
    """Makes renames in ``path`` durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class IncomingRecording:
    """A recording on its way to disk, hashed as it is written. Blocking: call it off the event loop."""

    def __init__(self, log: AudioLog, organization_id: UUID, limit_bytes: int) -> None:
        self._log = log
        self._organization_id = organization_id
        self._limit_bytes = limit_bytes
        self._digest = hashlib.sha256()
        # Opened with the first byte: who is refused before that, or goes away, leaves nothing.
        self._path: Path | None = None
        self._file: BinaryIO | None = None
        self.size_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Appends ``data``. Raises SizeLimitExceeded as soon as the limit is passed, and DiskFull."""
        self.size_bytes += len(data)
        if self.size_bytes > self._limit_bytes:
            raise SizeLimitExceeded
        self._digest.update(data)
        with writing():
            self._opened()[0].write(data)

    def flush(self) -> Path:
        """Puts every byte on disk and returns where they lie until ``commit``. Raises DiskFull."""
        with writing():
            file, path = self._opened()
            file.flush()
            os.fsync(file.fileno())
        return path

    @property
    def file_hash(self) -> str:
        """SHA-256 of what was written so far, in lower-case hexadecimal."""
        return self._digest.hexdigest()

    def commit(self) -> str:
        """Gives the durable recording its name and returns its SHA-256. Safe to repeat. Raises DiskFull."""
        file_hash = self.file_hash
        file, path = self._opened()
        if file.closed:
            return file_hash
        self.flush()
        file.close()
        target = self._log.original(self._organization_id, file_hash)
        with writing():
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            for folder in (target.parent, *list(target.parents)[1:4]):
                sync_directory(folder)
        return file_hash

    def __enter__(self) -> IncomingRecording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None and self._path is not None:
            self._path.unlink(missing_ok=True)
            # What is still in memory has no room to go to where the disk is full.
            with suppress(OSError):
                self._file.close()

    def _opened(self) -> tuple[BinaryIO, Path]:
        if self._file is None or self._path is None:
            self._log.incoming.mkdir(parents=True, exist_ok=True)
            descriptor, name = mkstemp(dir=self._log.incoming)
            self._file, self._path = os.fdopen(descriptor, "wb", buffering=1024 * 1024), Path(name)
        return self._file, self._path


class AudioLog:
    """Paths and files of the recordings of all organizations."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"

    def original(self, organization_id: UUID, file_hash: str) -> Path:
        """Where the uploaded bytes lie."""
        return self._folder(organization_id, file_hash) / "original"

    def pcm(self, organization_id: UUID, file_hash: str) -> Path:
        """Where the decoded audio lies, all of it mixed: signed 16-bit little-endian mono at 16 kHz."""
        return self._folder(organization_id, file_hash) / "pcm_s16le_16k.raw"

    def live_track(self, organization_id: UUID, file_hash: str, number: int) -> Path:
        """Where the audio of a live meeting's track lies, in the order of the config from 0."""
        return self._folder(organization_id, file_hash) / f"track-{number}.log"

    def live_holder(self, organization_id: UUID, file_hash: str) -> Path:
        """The file that the process which writes a live meeting keeps locked."""
        return self._folder(organization_id, file_hash) / "holder"

    def receive(self, organization_id: UUID, limit_bytes: int) -> IncomingRecording:
        """A recording to write; removed at the end of its context unless committed."""
        return IncomingRecording(self, organization_id, limit_bytes)

    def remove(self, organization_id: UUID, file_hash: str) -> None:
        """Removes a recording and what was made of it; nothing happens where there is none."""
        shutil.rmtree(self._folder(organization_id, file_hash), ignore_errors=True)

    def recordings(self) -> Iterator[tuple[UUID, str]]:
        """Every recording on disk: organization and hash."""
        for folder in self.root.glob("*/??/*"):
            with suppress(ValueError):
                yield UUID(folder.parent.parent.name), folder.name

    def free_bytes(self) -> int:
        """Room left on the log's disk."""
        self.root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.root).free

    def sweep_leftovers(self) -> int:
        """Removes what uploads left behind more than a day ago; returns how many files."""
        old = time.time() - LEFTOVER_AGE_S
        leftovers = [path for path in self.incoming.glob("*") if path.stat().st_mtime < old]
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)

    def _folder(self, organization_id: UUID, file_hash: str) -> Path:
        return self.root / str(organization_id) / file_hash[:2] / file_hash

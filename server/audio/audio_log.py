"""The audio log on local disk, where audio is made durable before it is acknowledged.

``<root>/<organization>/<hash[:2]>/<hash>/original`` holds the uploaded bytes; beside it ``pcm_s16le_16k.raw`` and
``pcm_s16le_16k.json`` hold the completely decoded audio, and for separate channels
``pcm_s16le_16k-<channel>.raw`` and ``pcm_s16le_16k.channels.json``. It is there while an analysis may read it, and is
decoded again when another one needs it. Files are written under a temporary name and
renamed when complete, so a file with its final name is never partial.

What comes in pieces lies in ``<root>/unfinished`` until it is whole (see ``unfinished_recordings``).

A live meeting has a folder of the same kind: ``track-<n>.log`` holds the received bytes of each source and grows
during the meeting, and ``track-<n>.edits`` says what of it is heard otherwise (see ``track_edits``); ``cuts-<n>`` has
the places at which the analysis of a track began anew; ``holder-<n>`` is locked by the process that
writes them (see server/live/log_fence.py).
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from types import TracebackType
from typing import BinaryIO
from uuid import UUID

from server.disk import detect_full_disk

# Age in seconds from which files of uploads interrupted by a server crash are deleted.
LEFTOVER_AGE_S = 24 * 3600
# What decoding leaves in a recording's folder, and what it is decoded into.
DECODED = ("pcm_s16le_16k*", "decoding-*")


class RecordingTooLarge(Exception):
    """The size limit of the recording was exceeded."""


def sync_directory(path: Path) -> None:
    """Fsync a directory, which makes renames in it durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class IncomingRecording:
    """A recording being written to disk and hashed. Blocking: use it off the event loop."""

    def __init__(
        self, log: AudioLog, organization_id: UUID, limit_bytes: int, spend: Callable[[int], None] | None
    ) -> None:
        """
        Args:
            limit_bytes: maximum size, bytes.
            spend: called with the size of all data before it is written, bytes; its errors end the writing.
        """
        self._log = log
        self._spend = spend
        self._organization_id = organization_id
        self._limit_bytes = limit_bytes
        self._digest = hashlib.sha256()
        # Created with the first byte, so that a request refused before that leaves no file.
        self._path: Path | None = None
        self._file: BinaryIO | None = None
        self.size_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append ``data``. Raises RecordingTooLarge once the limit is passed, and DiskFull."""
        self.size_bytes += len(data)
        if self.size_bytes > self._limit_bytes:
            raise RecordingTooLarge
        if self._spend is not None:
            self._spend(len(data))
        self._digest.update(data)
        with detect_full_disk():
            self._ensure_open()[0].write(data)

    def flush(self) -> Path:
        """Fsync everything written and return the temporary path, valid until ``commit``. Raises DiskFull."""
        with detect_full_disk():
            file, path = self._ensure_open()
            file.flush()
            os.fsync(file.fileno())
        return path

    @property
    def file_hash(self) -> str:
        """SHA-256 of the bytes written so far, lower-case hexadecimal."""
        return self._digest.hexdigest()

    def commit(self) -> str:
        """Rename the durable recording to its final path and return its SHA-256. Idempotent. Raises DiskFull."""
        file_hash = self.file_hash
        file, path = self._ensure_open()
        if file.closed:
            return file_hash
        self.flush()
        file.close()
        target = self._log.original(self._organization_id, file_hash)
        with detect_full_disk():
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
            # Buffered bytes cannot be flushed when the disk is full.
            with suppress(OSError):
                self._file.close()

    def adopt(self, whole: Path) -> None:
        """Take the bytes of a file, whatever its size, as all that is written. The file stays. Raises DiskFull."""
        with detect_full_disk():
            self._log.incoming.mkdir(parents=True, exist_ok=True)
            path = self._log.incoming / secrets.token_hex(8)
            path.hardlink_to(whole)
        self._path, self._file = path, path.open("r+b")
        while data := self._file.read(1024 * 1024):
            self._digest.update(data)
            self.size_bytes += len(data)

    def _ensure_open(self) -> tuple[BinaryIO, Path]:
        if self._file is None or self._path is None:
            self._log.incoming.mkdir(parents=True, exist_ok=True)
            descriptor, name = mkstemp(dir=self._log.incoming)
            self._file, self._path = os.fdopen(descriptor, "wb", buffering=1024 * 1024), Path(name)
        return self._file, self._path


class AudioLog:
    """Paths and files of all organizations' recordings.

    A recording is identified by its organization and ``file_hash``: its SHA-256, or the hash that names a live meeting.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"

    def original(self, organization_id: UUID, file_hash: str) -> Path:
        """Return the path of the uploaded bytes."""
        return self._folder(organization_id, file_hash) / "original"

    def pcm(self, organization_id: UUID, file_hash: str) -> Path:
        """Return the path of the decoded mix: s16le mono at 16 kHz."""
        return self._folder(organization_id, file_hash) / "pcm_s16le_16k.raw"

    def live_track(self, organization_id: UUID, file_hash: str, number: int) -> Path:
        """Return the path of a live source's audio; ``number`` is its index in the config's sources."""
        return self._folder(organization_id, file_hash) / f"track-{number}.log"

    def live_cuts(self, organization_id: UUID, file_hash: str, number: int) -> Path:
        """Return the path of the cuts of a live meeting's track, which may not exist.

        Args:
            number: index of the track in the config, each channel counted.
        """
        return self._folder(organization_id, file_hash) / f"cuts-{number}"

    def live_holder(self, organization_id: UUID, file_hash: str) -> Path:
        """Return the path, but for its number, of the lock file of the process that writes a live meeting."""
        return self._folder(organization_id, file_hash) / "holder"

    def receive(
        self, organization_id: UUID, limit_bytes: int, spend: Callable[[int], None] | None = None
    ) -> IncomingRecording:
        """Open a new recording for writing; leaving its context without a commit deletes it.

        Args:
            limit_bytes: maximum size, bytes.
            spend: called with the size of all data before it is written, bytes; its errors end the writing.
        """
        return IncomingRecording(self, organization_id, limit_bytes, spend)

    def measure(self, organization_id: UUID, file_hash: str) -> tuple[int, int]:
        """Return the number of a recording's files, derived ones included, and their size together, bytes."""
        sizes = []
        for path in self._folder(organization_id, file_hash).rglob("*"):
            # One that is just decoded or renamed may be gone.
            with suppress(FileNotFoundError):
                found = path.lstat()
                if not stat.S_ISDIR(found.st_mode):
                    sizes.append(found.st_size)
        return len(sizes), sum(sizes)

    def remove(self, organization_id: UUID, file_hash: str) -> None:
        """Delete a recording and its derived files, if it exists."""
        shutil.rmtree(self._folder(organization_id, file_hash), ignore_errors=True)

    def remove_decoded(self, organization_id: UUID, file_hash: str) -> bool:
        """Delete the decoded audio of a recording, finished or not, and return whether there was any."""
        found = False
        for pattern in DECODED:
            for path in self._folder(organization_id, file_hash).glob(pattern):
                found = True
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)
        return found

    def decoded_recordings(self) -> set[tuple[UUID, str]]:
        """Return the recordings of which there is decoded audio, as (organization, hash)."""
        folders = {path.parent for pattern in DECODED for path in self.root.glob(f"*/??/*/{pattern}")}
        return {(UUID(folder.parent.parent.name), folder.name) for folder in folders}

    def recordings(self) -> Iterator[tuple[UUID, str]]:
        """Yield all recordings on disk, as (organization, hash)."""
        for folder in self.root.glob("*/??/*"):
            with suppress(ValueError):
                yield UUID(folder.parent.parent.name), folder.name

    def sweep_leftovers(self) -> int:
        """Delete files of interrupted uploads older than a day, and return how many."""
        old = time.time() - LEFTOVER_AGE_S
        leftovers = [path for path in self.incoming.glob("*") if path.stat().st_mtime < old]
        for path in leftovers:
            # An export decodes into a folder.
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return len(leftovers)

    def _folder(self, organization_id: UUID, file_hash: str) -> Path:
        return self.root / str(organization_id) / file_hash[:2] / file_hash

"""The audio log on local disk, where audio is made durable before it is acknowledged.

``<root>/<organization>/<hash[:2]>/<hash>/original`` holds the uploaded bytes, ``playback-*`` what players are given;
with an object store both lie there instead (see ``kept_files``). Beside them ``pcm_s16le_16k.raw`` and
``pcm_s16le_16k.json`` hold the completely decoded audio, and for separate channels
``pcm_s16le_16k-<channel>.raw`` and ``pcm_s16le_16k.channels.json``. It is there while an analysis may read it, and is
decoded again when another one needs it. Files are written under a temporary name and
renamed when complete, so a file with its final name is never partial.

What comes in pieces lies in ``<root>/unfinished`` until it is whole (see ``unfinished_recordings``).

A live meeting has a folder of the same kind: ``track-<n>.log`` holds the received bytes of each source and grows
during the meeting, and ``track-<n>.edits`` says what of it is heard otherwise (see ``track_edits``); ``cuts-<n>`` has
the places at which the analysis of a track began anew; ``holder-<n>`` is locked by the process that
writes them (see server/live/log_fence.py). With an object store all but the last is sent there as it grows (see
``segments``), and lies there alone once the meeting is finished; ``live`` finds it wherever it is.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from types import TracebackType
from typing import BinaryIO
from uuid import UUID

from server.audio.folder_files import FolderFiles
from server.audio.kept_files import KeptFiles
from server.audio.live_folders import LiveFolders
from server.audio.object_files import ObjectFiles
from server.audio.object_store import ObjectStore
from server.audio.recording_folders import RecordingFolders
from server.disk import DiskReserve, detect_full_disk

# Age in seconds from which files of uploads interrupted by a server crash are deleted.
LEFTOVER_AGE_S = 24 * 3600
# What decoding leaves in a recording's folder, and what it is decoded into.
DECODED = ("pcm_s16le_16k*", "decoding-*")


def live_track_name(number: int) -> str:
    """Return the name of a live source's audio; see ``AudioLog.live_track``."""
    return f"track-{number}.log"


def live_cuts_name(number: int) -> str:
    """Return the name of the cuts of a live track; see ``AudioLog.live_cuts``."""
    return f"cuts-{number}"


class RecordingTooLarge(Exception):
    """The size limit of the recording was exceeded."""


class IncomingRecording:
    """A recording being written to disk and hashed. Blocking: use it off the event loop."""

    def __init__(self, log: AudioLog, limit_bytes: int, spend: Callable[[int], None] | None) -> None:
        """
        Args:
            limit_bytes: maximum size, bytes.
            spend: called with the size of all data before it is written, bytes; its errors end the writing.
        """
        self._log = log
        self._spend = spend
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
        """Fsync everything written and return the temporary path, from where it may be moved. Raises DiskFull."""
        with detect_full_disk():
            file, path = self._ensure_open()
            file.flush()
            os.fsync(file.fileno())
        return path

    @property
    def file_hash(self) -> str:
        """SHA-256 of the bytes written so far, lower-case hexadecimal."""
        return self._digest.hexdigest()

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


class AudioLog(RecordingFolders):
    """Paths and files of all organizations' recordings.

    A recording is identified by its organization and ``file_hash``: its SHA-256, or the hash that names a live meeting.
    """

    def __init__(self, root: Path, store: ObjectStore | None = None, reserve_bytes: int = 0) -> None:
        """
        Args:
            store: where recordings are kept; None: in the log itself.
            reserve_bytes: what copies of them leave free on the log's disk, bytes.
        """
        super().__init__(root)
        disk = DiskReserve(root, reserve_bytes)
        self.kept: KeptFiles = FolderFiles(self) if store is None else ObjectFiles(self, store, disk)
        self.live = LiveFolders(self, store, disk)

    def pcm(self, organization_id: UUID, file_hash: str) -> Path:
        """Return the path of the decoded mix: s16le mono at 16 kHz."""
        return self.folder(organization_id, file_hash) / "pcm_s16le_16k.raw"

    def live_track(self, organization_id: UUID, file_hash: str, number: int) -> Path:
        """Return the path of a live source's audio; ``number`` is its index in the config's sources."""
        return self.folder(organization_id, file_hash) / live_track_name(number)

    def live_cuts(self, organization_id: UUID, file_hash: str, number: int) -> Path:
        """Return the path of the cuts of a live meeting's track, which may not exist.

        Args:
            number: index of the track in the config, each channel counted.
        """
        return self.folder(organization_id, file_hash) / live_cuts_name(number)

    def live_holder(self, organization_id: UUID, file_hash: str) -> Path:
        """Return the path, but for its number, of the lock file of the process that writes a live meeting."""
        return self.folder(organization_id, file_hash) / "holder"

    def receive(self, limit_bytes: int, spend: Callable[[int], None] | None = None) -> IncomingRecording:
        """Open a new recording for writing; leaving its context deletes it, unless it was moved elsewhere.

        Args:
            limit_bytes: maximum size, bytes.
            spend: called with the size of all data before it is written, bytes; its errors end the writing.
        """
        return IncomingRecording(self, limit_bytes, spend)

    def remove_decoded(self, organization_id: UUID, file_hash: str) -> bool:
        """Delete the decoded audio of a recording, finished or not, and return whether there was any."""
        found = False
        for pattern in DECODED:
            for path in self.folder(organization_id, file_hash).glob(pattern):
                found = True
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)
        # With an object store, nothing else of an uploaded recording is on this machine.
        with suppress(OSError):
            self.folder(organization_id, file_hash).rmdir()
        return found

    def decoded_recordings(self) -> set[tuple[UUID, str]]:
        """Return the recordings of which there is decoded audio, as (organization, hash)."""
        folders = {path.parent for pattern in DECODED for path in self.root.glob(f"*/??/*/{pattern}")}
        return {(UUID(folder.parent.parent.name), folder.name) for folder in folders}

    def sweep_leftovers(self) -> int:
        """Delete files of interrupted uploads, and others in ``incoming``, older than a day; return how many."""
        old = time.time() - LEFTOVER_AGE_S
        leftovers = [path for path in self.incoming.glob("*") if path.stat().st_mtime < old]
        for path in leftovers:
            # An export decodes into a folder.
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return len(leftovers)

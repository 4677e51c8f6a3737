"""Recordings that come in pieces, on disk until the last piece is there.

``<root>/unfinished/<organization>/<id>/`` holds what is known of one: ``stated.json``, written once, and ``received``,
the bytes so far. Nothing else knows of it: it goes on at the size of that file, after a crash too.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from uuid import UUID

from server.audio.folder_files import sync_directory
from server.disk import detect_full_disk

STATED, RECEIVED, DONE = "stated.json", "received", "done.json"
# Without a byte for so long, what came is deleted.
KEPT_S = 24 * 3600
# Bytes of an id's randomness; its length in hexadecimal digits is twice that.
ID_BYTES = 16


class NoSuchRecording(Exception):
    """Nothing unfinished has the id: it never had, it was abandoned for a day, or it was deleted."""


class RecordingLocked(Exception):
    """Another request, of this process or another, writes the recording."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What was said of a recording when it began."""

    user_id: str
    size_bytes: int
    media_type: str
    file_name: str
    fields: dict[str, str]
    """As in the form of an upload."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a recording that came as a whole."""

    file_hash: str
    status: str


class UnfinishedRecording:
    """One recording, held by this process. Blocking: use it off the event loop."""

    def __init__(self, folder: Path, stated: Stated, received: FileIO) -> None:
        self._folder, self._received = folder, received
        self.stated = stated
        self.path = folder / RECEIVED
        self.size_bytes = os.fstat(received.fileno()).st_size

    @property
    def expires_at(self) -> float:
        """When it is deleted, unless more comes, seconds since 1970."""
        return os.fstat(self._received.fileno()).st_mtime + KEPT_S

    def append(self, data: bytes) -> None:
        """Append ``data``; ``sync`` makes it durable. Raises DiskFull."""
        rest = memoryview(data)
        with detect_full_disk():
            while rest:
                written = self._received.write(rest)
                self.size_bytes += written
                rest = rest[written:]

    def sync(self) -> None:
        """Make durable what was appended, by this process or one before it. Raises DiskFull."""
        with detect_full_disk():
            os.fsync(self._received.fileno())

    @property
    def finished(self) -> Finished | None:
        """What became of it; None until the last byte has come and was accepted."""
        try:
            return Finished(**json.loads((self._folder / DONE).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def finish(self, outcome: Finished) -> None:
        """Keep what became of it, and let go of its bytes, which lie elsewhere now."""
        _write_whole(self._folder / DONE, asdict(outcome))
        self.path.unlink()

    def remove(self) -> None:
        """Delete everything of it."""
        shutil.rmtree(self._folder, ignore_errors=True)


class UnfinishedRecordings:
    """The unfinished recordings of all organizations below the root of an audio log."""

    def __init__(self, root: Path) -> None:
        self._root = root / "unfinished"

    def create(self, organization_id: UUID, stated: Stated) -> str:
        """Begin a recording, durably, and return its id. Raises DiskFull."""
        recording_id = secrets.token_hex(ID_BYTES)
        folder = self._folder(organization_id, recording_id)
        with detect_full_disk():
            folder.mkdir(parents=True)
            (folder / RECEIVED).touch()
            # Last: without it the folder is nothing.
            _write_whole(folder / STATED, asdict(stated))
            for made in (folder, folder.parent, self._root, self._root.parent):
                sync_directory(made)
        return recording_id

    @contextmanager
    def hold(self, organization_id: UUID, recording_id: str) -> Iterator[UnfinishedRecording]:
        """Hold a recording while the context lasts; killed, a process lets go of it.

        Raises NoSuchRecording, RecordingLocked.
        """
        folder = self._folder(organization_id, recording_id)
        try:
            # Locked is what nothing replaces.
            lock = (folder / STATED).open("rb")
        except FileNotFoundError:
            raise NoSuchRecording from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RecordingLocked from None
            try:
                received = (folder / RECEIVED).open("ab", buffering=0)
            except FileNotFoundError:
                # Its holder deleted it just now.
                raise NoSuchRecording from None
            with received:
                yield UnfinishedRecording(folder, Stated(**json.load(lock)), received)

    def reserved(self, organization_id: UUID) -> tuple[int, int]:
        """Return how many recordings of an organization are unfinished, and their sizes together once whole, bytes."""
        sizes = []
        for folder in self._root.glob(f"{organization_id}/*"):
            with suppress(FileNotFoundError):
                if not (folder / DONE).exists():
                    sizes.append(json.loads((folder / STATED).read_text(encoding="utf-8"))["size_bytes"])
        return len(sizes), sum(sizes)

    def sweep(self) -> int:
        """Delete what has not grown for a day, and return how many recordings."""
        old, swept = time.time() - KEPT_S, 0
        for folder in self._root.glob("*/*"):
            with suppress(FileNotFoundError):
                newest = max(path.stat().st_mtime for path in (folder, *folder.glob("*")))
                if newest < old:
                    shutil.rmtree(folder, ignore_errors=True)
                    swept += 1
        return swept

    def _folder(self, organization_id: UUID, recording_id: str) -> Path:
        """Return the folder of an id. Raises NoSuchRecording for one that is none."""
        if len(recording_id) != 2 * ID_BYTES or not set(recording_id) <= set("0123456789abcdef"):
            raise NoSuchRecording
        return self._root / str(organization_id) / recording_id


def _write_whole(path: Path, document: dict[str, object]) -> None:
    """Write a file that is there whole or not at all, durably. Raises DiskFull."""
    partial = path.with_suffix(".new")
    with detect_full_disk():
        with partial.open("w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_directory(path.parent)

"""Files kept in the folder of the audio log: durable by sync and rename, and read where they are.

obstore's ``LocalStore`` would copy each file, and syncs nothing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from server.audio.kept_files import FileFacts, FileNotSent
from server.audio.recording_folders import RecordingFolders
from server.disk import detect_full_disk

READ_BUFFER_BYTES = 256 * 1024


def sync_directory(path: Path) -> None:
    """Fsync a directory, which makes renames in it durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_file(path: Path) -> BinaryIO | None:
    """Open a file, and no link; None if it is not there. Blocking."""
    try:
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=READ_BUFFER_BYTES)
    except FileNotFoundError:
        return None


class _Reader:
    """See FileReader."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    async def read(self, size: int, /) -> bytes:
        """See FileReader.read."""
        return await asyncio.to_thread(self._file.read, size)

    async def seek(self, position: int, /) -> int:
        """See FileReader.seek."""
        return self._file.seek(position)


class FolderFile:
    """See KeptFile."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def find(self) -> FileFacts | None:
        """See KeptFile.find."""
        with suppress(FileNotFoundError):
            found = await asyncio.to_thread(self._path.stat)
            return FileFacts(found.st_size, found.st_mtime)
        return None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[_Reader]:
        """See KeptFile.open."""
        with await asyncio.to_thread(self._path.open, "rb") as file:
            yield _Reader(file)


class FolderFiles:
    """See KeptFiles."""

    def __init__(self, folders: RecordingFolders) -> None:
        self._folders = folders

    async def send(self, organization_id: UUID, file_hash: str, files: Mapping[str, Path]) -> bool:
        """See KeptFiles.send: nothing takes long."""
        return False

    async def keep(self, organization_id: UUID, file_hash: str, files: Mapping[str, Path]) -> None:
        """See KeptFiles.keep: the files are moved."""
        await asyncio.to_thread(_move, files, self._folders.folder(organization_id, file_hash))

    def file(self, organization_id: UUID, file_hash: str, name: str) -> FolderFile:
        """See KeptFiles.file."""
        return FolderFile(self._path(organization_id, file_hash, name))

    @asynccontextmanager
    async def local(self, organization_id: UUID, file_hash: str, name: str) -> AsyncIterator[Path | None]:
        """See KeptFiles.local: it is where it is kept."""
        file = await self.open(organization_id, file_hash, name)
        if file is not None:
            file.close()
        yield None if file is None else self._path(organization_id, file_hash, name)

    async def open(self, organization_id: UUID, file_hash: str, name: str) -> BinaryIO | None:
        """See KeptFiles.open."""
        return await asyncio.to_thread(open_file, self._path(organization_id, file_hash, name))

    async def measure(self, organization_id: UUID, file_hash: str) -> tuple[int, int]:
        """See KeptFiles.measure."""
        return await asyncio.to_thread(self._folders.measure, organization_id, file_hash)

    async def remove(self, organization_id: UUID, file_hash: str) -> None:
        """See KeptFiles.remove."""
        await asyncio.to_thread(self._folders.remove, organization_id, file_hash)

    async def remove_others(self, organization_id: UUID, file_hash: str, prefix: str, but: Collection[str]) -> None:
        """See KeptFiles.remove_others."""

        def remove() -> None:
            for path in sorted(self._folders.folder(organization_id, file_hash).glob(f"{prefix}*")):
                if path.name not in but:
                    path.unlink(missing_ok=True)

        await asyncio.to_thread(remove)

    async def recordings(self, before: datetime) -> AsyncGenerator[tuple[UUID, list[str]], None]:
        """See KeptFiles.recordings: all of them are on this machine."""
        return
        yield

    def _path(self, organization_id: UUID, file_hash: str, name: str) -> Path:
        return self._folders.folder(organization_id, file_hash) / name


def _move(files: Mapping[str, Path], folder: Path) -> None:
    with detect_full_disk():
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in files.items():
            try:
                with path.open("rb") as file:
                    os.fsync(file.fileno())
                path.replace(folder / name)
            except FileNotFoundError:
                # It was moved: the connection broke during the commit.
                if not (folder / name).exists():
                    raise FileNotSent(name) from None
        for changed in (folder, *list(folder.parents)[:3]):
            sync_directory(changed)

"""Files kept in an object store; on this machine's disk they are for as long as a program needs them there."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO
from uuid import UUID

from server.audio.kept_files import UPLOADED, FileFacts, FileNotSent
from server.audio.object_store import ObjectStore, StoredObject
from server.audio.recording_folders import RecordingFolders
from server.disk import DiskReserve, detect_full_disk
from server.fair_slots import FairSlots

# Of a file that is read a little at a time.
BLOCK_BYTES = 1024 * 1024
# Files that are sent at once, by a process: each takes the memory of its parts on their way. Organizations take turns.
SENDS_AT_ONCE = 8
# Recordings of an organization that are looked up at once.
LISTED_AT_ONCE = 1000


class _Reader:
    """See FileReader: reads a block at a time."""

    def __init__(self, store: ObjectStore, stored: StoredObject) -> None:
        self._store, self._stored = store, stored
        self._position = self._block_start = 0
        self._block = b""

    async def read(self, size: int, /) -> bytes:
        """See FileReader.read."""
        offset = self._position - self._block_start
        if not 0 <= offset < len(self._block):
            end = min(self._position + BLOCK_BYTES, self._stored.size_bytes)
            self._block = await self._store.read(self._stored.key, self._position, end)
            self._block_start, offset = self._position, 0
        data = self._block[offset : offset + size]
        self._position += len(data)
        return data

    async def seek(self, position: int, /) -> int:
        """See FileReader.seek."""
        self._position = position
        return position


class ObjectFile:
    """See KeptFile."""

    def __init__(self, store: ObjectStore, key: str) -> None:
        self._store, self._key = store, key

    async def find(self) -> FileFacts | None:
        """See KeptFile.find."""
        stored = await self._store.find(self._key)
        return None if stored is None else FileFacts(stored.size_bytes, stored.modified_at.timestamp())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[_Reader]:
        """See KeptFile.open."""
        stored = await self._store.find(self._key)
        if stored is None:
            raise FileNotFoundError(self._key)
        yield _Reader(self._store, stored)


class ObjectFiles:
    """See KeptFiles. The keys are the paths that the files have in the folder of an audio log."""

    def __init__(self, folders: RecordingFolders, store: ObjectStore, disk: DiskReserve) -> None:
        """
        Args:
            folders: hold what is on this machine meanwhile.
            disk: the disk of ``folders``, whose reserve stays free.
        """
        self._folders, self._store, self._disk = folders, store, disk
        self._sends: FairSlots[UUID] = FairSlots(SENDS_AT_ONCE)

    async def send(self, organization_id: UUID, file_hash: str, files: Mapping[str, Path]) -> bool:
        """See KeptFiles.send: here the bytes go to the store."""
        for name, path in files.items():
            key = object_key(organization_id, file_hash, name)
            # Its name says what its bytes are.
            if name != UPLOADED or not await self._is_there(key, path):
                async with self._sends.place(organization_id):
                    await self._store.put(key, path)
        return True

    async def keep(self, organization_id: UUID, file_hash: str, files: Mapping[str, Path]) -> None:
        """See KeptFiles.keep: what was sent is durable; it only has to be there still."""
        for name, path in files.items():
            if not await self._is_there(object_key(organization_id, file_hash, name), path):
                raise FileNotSent(name)

    def file(self, organization_id: UUID, file_hash: str, name: str) -> ObjectFile:
        """See KeptFiles.file."""
        return ObjectFile(self._store, object_key(organization_id, file_hash, name))

    @asynccontextmanager
    async def local(self, organization_id: UUID, file_hash: str, name: str) -> AsyncIterator[Path | None]:
        """See KeptFiles.local: a copy, which goes with the context."""
        stored = await self._store.find(object_key(organization_id, file_hash, name))
        if stored is None:
            yield None
            return
        path = await asyncio.to_thread(self._incoming) / f"fetched-{secrets.token_hex(8)}"
        try:
            with detect_full_disk():
                file = await asyncio.to_thread(path.open, "xb")
            try:
                await self._fetch(stored, file)
            finally:
                file.close()
            yield path
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def open(self, organization_id: UUID, file_hash: str, name: str) -> BinaryIO | None:
        """See KeptFiles.open: a copy without a name, which goes with the file."""
        stored = await self._store.find(object_key(organization_id, file_hash, name))
        if stored is None:
            return None
        file: BinaryIO = TemporaryFile(dir=await asyncio.to_thread(self._incoming))  # noqa: SIM115 - handed on
        try:
            await self._fetch(stored, file)
            file.seek(0)
        except FileNotFoundError:
            # Deleted at this moment.
            file.close()
            return None
        except BaseException:
            file.close()
            raise
        return file

    async def measure(self, organization_id: UUID, file_hash: str) -> tuple[int, int]:
        """See KeptFiles.measure."""
        files, size_bytes = await asyncio.to_thread(self._folders.measure, organization_id, file_hash)
        for stored in await self._objects(organization_id, file_hash):
            files, size_bytes = files + 1, size_bytes + stored.size_bytes
        return files, size_bytes

    async def remove(self, organization_id: UUID, file_hash: str) -> None:
        """See KeptFiles.remove."""
        await asyncio.to_thread(self._folders.remove, organization_id, file_hash)
        await self._store.delete([stored.key for stored in await self._objects(organization_id, file_hash)])

    async def remove_others(self, organization_id: UUID, file_hash: str, prefix: str, but: Collection[str]) -> None:
        """See KeptFiles.remove_others."""
        for stored in await self._objects(organization_id, file_hash):
            name = stored.key.rsplit("/", 1)[1]
            if name.startswith(prefix) and name not in but:
                await self._store.delete([stored.key])

    async def recordings(self, before: datetime) -> AsyncGenerator[tuple[UUID, list[str]], None]:
        """See KeptFiles.recordings."""
        organization_id: UUID | None = None
        # By hash: whether a file is too new.
        found: dict[str, bool] = {}
        async for stored in self._store.list_below():
            if (recording := _recording_of(stored.key)) is None:
                continue
            owner, file_hash = recording
            if found and (owner != organization_id or (len(found) >= LISTED_AT_ONCE and file_hash not in found)):
                assert organization_id is not None
                yield organization_id, [known for known, new in found.items() if not new]
                found = {}
            organization_id = owner
            found[file_hash] = found.get(file_hash, False) or stored.modified_at >= before
        if organization_id is not None and found:
            yield organization_id, [known for known, new in found.items() if not new]

    async def _is_there(self, key: str, path: Path) -> bool:
        stored = await self._store.find(key)
        return stored is not None and stored.size_bytes == (await asyncio.to_thread(path.stat)).st_size

    async def _objects(self, organization_id: UUID, file_hash: str) -> list[StoredObject]:
        folder = object_key(organization_id, file_hash, "").rstrip("/")
        return [stored async for stored in self._store.list_below(folder)]

    async def _fetch(self, stored: StoredObject, file: BinaryIO) -> None:
        self._disk.require(stored.size_bytes)
        with detect_full_disk():
            await self._store.fetch(stored, file)
            await asyncio.to_thread(file.flush)

    def _incoming(self) -> Path:
        with detect_full_disk():
            self._folders.incoming.mkdir(parents=True, exist_ok=True)
        return self._folders.incoming


def object_key(organization_id: UUID, file_hash: str, name: str) -> str:
    """Return the key of a file of a recording."""
    return f"{organization_id}/{file_hash[:2]}/{file_hash}/{name}"


def _recording_of(key: str) -> tuple[UUID, str] | None:
    """Return the organization and hash of an object; None for one that is none of ours."""
    try:
        owner, start, file_hash, _ = key.split("/")
        organization_id = UUID(owner)
    except ValueError:
        return None
    ours = owner == str(organization_id) and len(file_hash) == 64 and start == file_hash[:2]
    return (organization_id, file_hash) if ours else None

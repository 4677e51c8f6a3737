"""The objects of a system that keeps its recordings in an object store: into a backup, and out of it.

A backup is the same wherever recordings were kept: ``audio/`` holds each under its key.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path, PurePosixPath

from cli.backup_files import CopiedFile
from cli.home import Home
from cli.settings import checked
from privacy import read_private
from server.audio import LIVE_FILE, UP_TO_DATE, WHOLE, ObjectStore, StoredObject, is_kept
from server.config import StoreSettings

AUDIO = "audio"


def store_of_system(home: Home) -> ObjectStore | None:
    """Return the store of the system that runs, with this command's credentials; None: it has none.

    Raises BadSettings, StoreUnavailable, UnsafeFile.
    """
    try:
        url = read_private(home.audio_store_file).strip()
    except FileNotFoundError:
        return None
    return ObjectStore(url, checked(StoreSettings).audio_store_patience_s) if url else None


def store_of_settings() -> ObjectStore | None:
    """Return the store that the settings of this command name; None: they name none.

    Raises BadSettings, StoreUnavailable.
    """
    settings = checked(StoreSettings)
    return ObjectStore(settings.audio_store, settings.audio_store_patience_s) if settings.audio_store else None


async def copy_objects(store: ObjectStore, folder: Path) -> AsyncGenerator[CopiedFile, None]:
    """Copy all objects into a backup, durably, and yield each; one of a file that it has already is in its place.

    Raises StoreUnavailable, OSError.
    """
    # Of live meetings, whose segments become others, or files, at any moment.
    changed: set[str] = set()
    async with aclosing(store.list_below()) as listed:
        async for stored in listed:
            try:
                copied = await _copy(store, stored, folder)
            except FileNotFoundError:
                # Deleted meanwhile, with its meeting or for another object.
                changed.add(stored.key.rpartition("/")[0])
                continue
            if copied is not None:
                yield copied
    for meeting in changed:
        async with aclosing(store.list_below(meeting)) as listed:
            async for stored in listed:
                with suppress(FileNotFoundError):
                    if (copied := await _copy(store, stored, folder)) is not None:
                        yield copied


async def _copy(store: ObjectStore, stored: StoredObject, folder: Path) -> CopiedFile | None:
    """Copy an object into a backup; None if it is somebody else's, or there already. Raises FileNotFoundError."""
    meeting, _, name = stored.key.rpartition("/")
    if not is_kept(name):
        return None
    target = folder / AUDIO / stored.key
    try:
        digest = await _fetch(store, stored, target)
    except FileExistsError:
        # The folder of the audio log has it too: the setting changed, or it is of a live meeting. What that disk has
        # of one that is whole in the store may be from before another machine took it up.
        if LIVE_FILE.fullmatch(name) is None or await store.find(f"{meeting}/{WHOLE}") is None:
            return None
        await asyncio.to_thread(target.unlink)
        digest = await _fetch(store, stored, target)
    except FileNotFoundError:
        await asyncio.to_thread(target.unlink, missing_ok=True)
        raise
    return CopiedFile(f"{AUDIO}/{stored.key}", stored.size_bytes, digest)


async def _fetch(store: ObjectStore, stored: StoredObject, target: Path) -> str:
    """Fetch an object into a new file; return its SHA-256 in hexadecimal."""

    def open_new() -> int:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)

    def settle() -> str:
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()

    with os.fdopen(await asyncio.to_thread(open_new), "w+b") as file:
        await store.fetch(stored, file)
        return await asyncio.to_thread(settle)


class RestoredObjects:
    """What a restore puts into a store that was empty: all of it, or nothing."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._keys: list[str] = []

    async def holds_any(self) -> bool:
        """Return whether the store holds objects already. Raises StoreUnavailable."""
        async with aclosing(self._store.list_below()) as listed:
            async for _ in listed:
                return True
        return False

    async def take(self, root: Path, path: str) -> None:
        """Move a file of a data folder into the store, if it belongs there.

        Args:
            path: relative to ``root``, as a backup lists it.

        Raises StoreUnavailable.
        """
        parts = PurePosixPath(path).parts
        if parts[0] == AUDIO and parts[-1] == UP_TO_DATE:
            # It is said of files that are there no more.
            await asyncio.to_thread((root / path).unlink)
            return
        if parts[0] != AUDIO or not is_kept(parts[-1]):
            return
        key = "/".join(parts[1:])
        self._keys.append(key)
        await self._store.put(key, root / path)
        await asyncio.to_thread((root / path).unlink)

    async def undo(self) -> None:
        """Delete what was put there. Raises StoreUnavailable."""
        await self._store.delete(self._keys)

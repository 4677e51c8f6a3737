"""Objects in a store: as little as possible around obstore, with bounds on time and memory.

Credentials come from the cloud's own environment variables (``AWS_``, ``GOOGLE_``, ``AZURE_``), never from the URL.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from server.store_url import credentials_prefix

# Sizes of what is sent and fetched at a time; four parts of one file are on their way at once.
PART_BYTES, PARTS_AT_ONCE = 8 * 1024**2, 4
# Of one file, in S3.
MAX_PARTS = 10_000
# Objects that one request lists.
LISTED_AT_ONCE = 1000
# Characters of a store's error in our log; the rest describes the request again.
MAX_REASON = 300


class StoreUnavailable(Exception):
    """The object store did not do what it was asked for: it may be away, or refuse us. Nothing is lost by trying again.

    No OSError: within a transaction that would look like an error of the database's connection.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the object store: {reason}")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of a store."""

    key: str
    size_bytes: int
    modified_at: datetime


class ObjectStore:
    """One store, or what lies below a folder of it. Keys have slashes, and begin with none."""

    def __init__(self, url: str, patience_s: float) -> None:
        """
        Args:
            url: as ``check_store_url`` returns it.
            patience_s: how long one request may take, and for how long it is repeated, seconds.

        Raises StoreUnavailable for settings that the store's library refuses.
        """
        self.url = url
        patience = timedelta(seconds=patience_s)
        prefix = credentials_prefix(url)
        with _as_unavailable():
            self._store = from_url(
                url,
                client_options={
                    "timeout": patience,
                    "connect_timeout": min(patience, timedelta(seconds=5)),
                    "allow_http": os.environ.get(f"{prefix}ALLOW_HTTP", "").lower() == "true",
                },
                retry_config={"retry_timeout": patience},
            )

    async def put(self, key: str, path: Path) -> None:
        """Store a file, by a multipart upload if it is large; the object is durable, and there as a whole, on return.

        Raises StoreUnavailable, FileNotFoundError without the file.
        """
        size_bytes = (await asyncio.to_thread(path.stat)).st_size
        part_bytes = max(PART_BYTES, -(-size_bytes // MAX_PARTS))
        # A missing bucket is no missing file.
        with _as_unavailable(FileNotFoundError):
            await obstore.put_async(self._store, key, path, chunk_size=part_bytes, max_concurrency=PARTS_AT_ONCE)

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Store bytes in one request, in place of an object that is there. Raises StoreUnavailable."""
        with _as_unavailable(FileNotFoundError):
            await obstore.put_async(self._store, key, data, use_multipart=False)

    async def find(self, key: str) -> StoredObject | None:
        """Return what the store says of an object; None if it is not there. Raises StoreUnavailable."""
        try:
            with _as_unavailable():
                found = await obstore.head_async(self._store, key)
        except FileNotFoundError:
            return None
        return StoredObject(key, found["size"], found["last_modified"])

    async def read(self, key: str, start: int, end: int) -> bytes:
        """Return the bytes of an object from ``start`` to before ``end``.

        Raises StoreUnavailable, FileNotFoundError.
        """
        if end <= start:
            return b""
        with _as_unavailable():
            return bytes(await obstore.get_range_async(self._store, key, start=start, end=end))

    async def read_whole(self, key: str) -> bytes:
        """Return the bytes of an object that fits in memory. Raises StoreUnavailable, FileNotFoundError."""
        with _as_unavailable():
            found = await obstore.get_async(self._store, key)
            return bytes(await found.bytes_async())

    async def fetch(self, stored: StoredObject, file: BinaryIO) -> None:
        """Write an object to a file. Raises StoreUnavailable, FileNotFoundError, OSError."""
        for start in range(0, stored.size_bytes, PART_BYTES):
            data = await self.read(stored.key, start, min(start + PART_BYTES, stored.size_bytes))
            await asyncio.to_thread(file.write, data)

    async def list_below(self, folder: str = "") -> AsyncGenerator[StoredObject, None]:
        """Yield the objects below a folder, in the order of their keys. Raises StoreUnavailable."""
        with _as_unavailable(FileNotFoundError):
            listed = obstore.list(self._store, prefix=folder or None, chunk_size=LISTED_AT_ONCE)
            async for page in listed:
                for found in page:
                    yield StoredObject(found["path"], found["size"], found["last_modified"])

    async def delete(self, keys: list[str]) -> None:
        """Delete objects; those that are not there are none. Raises StoreUnavailable."""
        if keys:
            with _as_unavailable(FileNotFoundError):
                await obstore.delete_async(self._store, keys)


@contextmanager
def _as_unavailable(*more: type[Exception]) -> Iterator[None]:
    """Convert what obstore raises, but for a missing object unless that is among ``more``."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, (BaseError, *more)):
            raise
        # What follows describes the request in the library's own terms.
        raise StoreUnavailable(str(error).split("\n", 1)[0][:MAX_REASON]) from None

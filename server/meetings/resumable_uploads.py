"""Uploads that go on where they were: pieces durable on disk, and in the end the same acceptance as of any upload."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from server.audio import (
    Finished,
    NoSuchRecording,
    RecordingLocked,
    Stated,
    UnfinishedRecording,
    UnfinishedRecordings,
)
from server.auth import Caller
from server.errors import (
    BadRequest,
    ChannelsDiffer,
    ConsentRequired,
    FileTooLarge,
    QuotaExceeded,
    RecordingTooLong,
    RedactionDiffers,
    TooManyUnfinishedUploads,
    UploadLocked,
    UploadNotFound,
    UploadOffsetDiffers,
)
from server.meetings.completion import run_to_completion
from server.meetings.upload import Uploads
from server.meetings.upload_allowance import RETRY_STORED_S, require_minutes
from server.quotas import Use
from server.storage import Database

# Of an organization at a time: somebody's folder of recordings, each begun.
MAX_UNFINISHED = 1000
# Bytes that are written at once.
BLOCK_BYTES = 1024 * 1024
# Refusals of a whole recording that will not change: its pieces are of no more use.
FOR_GOOD = (BadRequest, ChannelsDiffer, ConsentRequired, RecordingTooLong, RedactionDiffers)
Record = Callable[[str], Awaitable[None]]
"""Given a file hash."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload is."""

    offset: int
    """Bytes that are durable."""
    size_bytes: int
    """Of the whole recording."""
    expires_at: float
    """When it is deleted unless more comes, seconds since 1970."""
    finished: Finished | None
    """What became of it, once it is whole and was accepted."""


class ResumableUploads:
    """Receive recordings in pieces, of one user each."""

    def __init__(self, uploads: Uploads, database: Database, record: Record) -> None:
        """
        Args:
            uploads: accepts what is whole; its limits and allowances hold here too.
            record: writes that a recording was accepted. Called before that is known here, so that it is called again
                after a crash and never left out.
        """
        self._uploads, self._database, self._record = uploads, database, record
        self._allowances = uploads.allowances
        self._unfinished = UnfinishedRecordings(uploads.audio_log.root)
        self._creating = asyncio.Lock()

    @property
    def max_bytes(self) -> int:
        """Of a recording."""
        return self._uploads.limits.max_bytes

    async def create(
        self, caller: Caller, size_bytes: int, fields: dict[str, str], file_name: str, media_type: str
    ) -> str:
        """Begin an upload and return its id.

        Args:
            size_bytes: of the whole recording.
            fields: as in the form of an upload.

        Raises:
            BadRequest: the recording would be empty, or a field is invalid.
            ConsentRequired: the organization's policy wants a note of consent.
            FileTooLarge: for the server.
            QuotaExceeded: with all other unfinished uploads of the organization.
            TooManyUnfinishedUploads: the organization has its limit.
            DiskFull: the disk has no room for it.
            ServerOverloaded: too little memory is free.
        """
        self._allowances.require_memory()
        if size_bytes < 1:
            raise BadRequest("upload-length", "the recording is empty")
        if size_bytes > self.max_bytes:
            raise FileTooLarge(self.max_bytes)
        await self._uploads.check(caller, fields, file_name)
        stated = Stated(str(caller.user_id), size_bytes, media_type, file_name, fields)
        organization_id = caller.organization_id
        use = await self._find_use(organization_id)
        require_minutes(use)
        self._allowances.disk.require(size_bytes)
        # One after the other, so that several together stay within what each may.
        async with self._creating:
            number, reserved_bytes = await asyncio.to_thread(self._unfinished.reserved, organization_id)
            if number >= MAX_UNFINISHED:
                raise TooManyUnfinishedUploads(MAX_UNFINISHED)
            _require_room(use, reserved_bytes, size_bytes)
            return await run_to_completion(asyncio.to_thread(self._unfinished.create, organization_id, stated))

    async def find(self, caller: Caller, upload_id: str) -> Progress:
        """Return how far an upload is. One whose last byte came before a crash is accepted now, as in ``append``.

        Raises UploadNotFound, UploadLocked, and what ``append`` raises of a whole recording.
        """
        with self._hold(caller, upload_id) as held:
            # What another process wrote before it was killed is durable only now.
            await asyncio.to_thread(held.sync)
            return await self._progress(caller, held)

    async def append(
        self, caller: Caller, upload_id: str, offset: int, chunks: AsyncIterator[bytes], declared_bytes: int
    ) -> Progress:
        """Append a piece, durably, and accept the recording once it is whole; return how far the upload is then.

        What came of a piece that breaks off is kept.

        Args:
            offset: where the piece begins: at the end of what is there.
            declared_bytes: the size of the piece as its sender states it; 0 if unknown.

        Raises:
            UploadNotFound, UploadLocked, UploadOffsetDiffers.
            BadRequest: the piece goes beyond the recording's end; or as ``Uploads.receive`` of a whole recording, which
                is then deleted, as for ChannelsDiffer, ConsentRequired, RecordingTooLong, RedactionDiffers.
            QuotaExceeded, DiskFull, Unauthenticated: the upload may go on later.
        """
        with self._hold(caller, upload_id) as held:
            if held.finished is None:
                if offset != held.size_bytes:
                    raise UploadOffsetDiffers(held.size_bytes)
                left = held.stated.size_bytes - offset
                if declared_bytes > left:
                    raise BadRequest("body", f"{declared_bytes} bytes, and {left} are missing of the recording")
                if left:
                    await self._receive(caller.organization_id, held, chunks, min(declared_bytes, left))
            return await self._progress(caller, held)

    async def remove(self, caller: Caller, upload_id: str) -> None:
        """Delete what came of an upload; a meeting that was made of it stays. Raises UploadNotFound, UploadLocked."""
        with self._hold(caller, upload_id) as held:
            await run_to_completion(asyncio.to_thread(held.remove))

    @contextmanager
    def _hold(self, caller: Caller, upload_id: str) -> Iterator[UnfinishedRecording]:
        try:
            with self._unfinished.hold(caller.organization_id, upload_id) as held:
                # Somebody else's is nobody's.
                if held.stated.user_id != str(caller.user_id):
                    raise UploadNotFound
                yield held
        except NoSuchRecording:
            raise UploadNotFound from None
        except RecordingLocked:
            raise UploadLocked from None

    async def _receive(
        self, organization_id: UUID, held: UnfinishedRecording, chunks: AsyncIterator[bytes], least_bytes: int
    ) -> None:
        block = bytearray()
        # What came otherwise since it began may have taken its room; what came of it is in no sum of what is stored.
        _require_room(await self._find_use(organization_id), 0, held.stated.size_bytes)

        async def write() -> None:
            data = bytes(block)
            block.clear()
            await run_to_completion(asyncio.to_thread(held.append, data))

        async with self._allowances.admit(organization_id, least_bytes) as allowance:
            try:
                async for chunk in chunks:
                    left = held.stated.size_bytes - held.size_bytes - len(block)
                    if len(chunk) > left:
                        raise BadRequest("body", "goes beyond the end of the recording")
                    allowance.spend(len(chunk))
                    block += chunk
                    if len(block) >= BLOCK_BYTES:
                        await write()
            finally:
                # The sender may be gone; what came is kept.
                if block:
                    await write()
                await run_to_completion(asyncio.to_thread(held.sync))

    async def _find_use(self, organization_id: UUID) -> Use:
        return await self._database.run(
            lambda c: self._allowances.find_use(c, organization_id), organization_id=organization_id
        )

    async def _progress(self, caller: Caller, held: UnfinishedRecording) -> Progress:
        size_bytes, expires_at = held.stated.size_bytes, held.expires_at
        if (known := held.finished) is not None:
            return Progress(size_bytes, size_bytes, expires_at, known)
        if held.size_bytes < size_bytes:
            return Progress(held.size_bytes, size_bytes, expires_at, None)
        finished = await run_to_completion(self._finish(caller, held))
        return Progress(size_bytes, size_bytes, expires_at, finished)

    async def _finish(self, caller: Caller, held: UnfinishedRecording) -> Finished:
        stated = held.stated
        try:
            receipt = await self._uploads.accept(
                caller, held.path, dict(stated.fields), stated.file_name, stated.media_type
            )
        except FOR_GOOD:
            await asyncio.to_thread(held.remove)
            raise
        await self._record(receipt.file_hash)
        finished = Finished(receipt.file_hash, receipt.status)
        await asyncio.to_thread(held.finish, finished)
        return finished


def _require_room(use: Use, reserved_bytes: int, size_bytes: int) -> None:
    """Check that a whole recording may be stored beside what is stored and reserved. Raises QuotaExceeded."""
    stored_bytes = use.stored_bytes + reserved_bytes
    if stored_bytes + size_bytes > use.quotas.stored_bytes:
        raise QuotaExceeded("stored_bytes", use.quotas.stored_bytes, stored_bytes, RETRY_STORED_S)

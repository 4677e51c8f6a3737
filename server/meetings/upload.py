"""Upload of a recording: streamed to disk while hashing, durable before acknowledgement, then queued."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from server.audio import AudioLog, IncomingRecording, RecordingTooLarge, probe
from server.auth import Caller, find_user
from server.errors import BadRequest, ChannelsDiffer, FileTooLarge, RecordingTooLong, Unauthenticated
from server.meetings.content_encoding import BodyDecoder, create_body_decoder
from server.meetings.upload_body import UploadBody, create_body
from server.meetings.upload_fields import validate_details
from server.storage import Connection, Database, meetings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UploadChunk:
    """One message of an upload; only ``data`` counts after the first."""

    data: bytes
    content_type: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Acknowledgement of a durable recording."""

    file_hash: str
    status: str


class Uploads:
    """Receive recordings into the audio log."""

    def __init__(self, audio_log: AudioLog, database: Database, max_bytes: int, max_duration_s: float) -> None:
        self._audio_log = audio_log
        self._database = database
        self._max_bytes = max_bytes
        self._max_duration_s = max_duration_s

    async def receive(self, caller: Caller, chunks: AsyncIterator[UploadChunk], content_encoding: str = "") -> Receipt:
        """Receive a whole recording and queue its analysis; on any error neither file nor meeting remains.

        Args:
            caller: the uploader.
            chunks: the body in chunks; the first has content type and fields.
            content_encoding: the body's ``Content-Encoding``; empty for none.

        Raises:
            UnsupportedContentEncoding: the body's compression is unsupported.
            BadRequest: the body does not match its media type, is truncated or empty, or a field is invalid.
            FileTooLarge: as soon as the limit is exceeded.
            RecordingTooLong: the container states a duration over the limit.
            ChannelsDiffer: the recording is known with another use of its channels.
            Unauthenticated: the caller's token or key became void during the upload.
            DiskFull: the disk has no room.
        """
        decoder = create_body_decoder(content_encoding)
        with self._audio_log.receive(caller.organization_id, self._max_bytes) as recording:
            try:
                body = await self._read(recording, chunks, decoder)
            except RecordingTooLarge:
                raise FileTooLarge(self._max_bytes) from None
            details = validate_details(body.fields, body.file_name)
            path = await run_to_completion(asyncio.to_thread(recording.flush))
            stated = await probe(path)
            if stated.duration_s is not None and stated.duration_s > self._max_duration_s:
                raise RecordingTooLong(stated.duration_s, self._max_duration_s)
            meeting = meetings.NewMeeting(
                caller.organization_id,
                caller.user_id,
                recording.file_hash,
                details.name,
                details.held_on,
                details.n_speakers,
                details.language,
                body.media_type,
                recording.size_bytes,
                details.key_terms,
                details.channels,
            )

            async def store_meeting(connection: Connection) -> str:
                # Serialises with a concurrent deletion of the same recording.
                await meetings.lock_recording(connection, meeting.organization_id, meeting.file_hash)
                # An upload may take hours; the caller was authenticated before it.
                if await find_user(connection, caller.credential) is None:
                    raise Unauthenticated
                stored_channels = await meetings.find_analysed_channels(
                    connection, meeting.organization_id, meeting.file_hash
                )
                if stored_channels is not None and meeting.channels not in (None, stored_channels):
                    raise ChannelsDiffer(stored_channels)
                status = await meetings.accept(connection, meeting)
                # After every check of the database, before its commit.
                await asyncio.to_thread(recording.commit)
                return status

            # The bytes are durable, so waiting for the database costs nothing. If the client disconnects now, a
            # complete meeting remains.
            status = await run_to_completion(
                self._database.run(store_meeting, organization_id=caller.organization_id, patience_s=20)
            )
        return Receipt(meeting.file_hash, status)

    async def _read(
        self, recording: IncomingRecording, chunks: AsyncIterator[UploadChunk], decoder: BodyDecoder
    ) -> UploadBody:
        body: UploadBody | None = None
        async for chunk in chunks:
            if body is None:
                if not chunk.content_type:
                    raise BadRequest("content-type", "missing")
                body = create_body(chunk.content_type, recording)
                body.fields.update(chunk.fields)
            if chunk.data:
                # Decompressing, hashing and writing a chunk takes milliseconds: off the event loop.
                await run_to_completion(asyncio.to_thread(_feed, body, decoder, chunk.data))
        if body is None:
            raise BadRequest("body", "missing")
        decoder.close()
        await run_to_completion(asyncio.to_thread(body.close))
        return body


def _feed(body: UploadBody, decoder: BodyDecoder, data: bytes) -> None:
    for part in decoder.decode(data):
        body.feed(part)


async def run_to_completion(work: Coroutine[Any, Any, T]) -> T:
    """Await ``work`` and return its result; if cancelled, wait for its end first.

    A client may disconnect at any moment; work on its recording must not stop halfway or lose its file.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            # Retrieve the exception, since nobody is left to receive it.
            task.exception()
        raise

"""Receiving a recording: to disk while hashing, durable before it is acknowledged, then queued."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from server.audio import AudioLog, IncomingRecording, SizeLimitExceeded, probe
from server.auth import Caller
from server.errors import BadRequest, ChannelsDiffer, FileTooLarge, RecordingTooLong, Unauthenticated
from server.meetings.content_encoding import Encoding, encoding_of
from server.meetings.upload_body import UploadBody, body_of
from server.meetings.upload_fields import checked_details
from server.storage import Connection, Database, meetings, users

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UploadPiece:
    """One message of an upload; everything but ``data`` counts in the first alone."""

    data: bytes
    content_type: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A durable recording."""

    file_hash: str
    status: str


class Uploads:
    """Receives recordings into the audio log."""

    def __init__(self, audio_log: AudioLog, database: Database, max_bytes: int, max_duration_s: float) -> None:
        self._audio_log = audio_log
        self._database = database
        self._max_bytes = max_bytes
        self._max_duration_s = max_duration_s

    async def receive(self, caller: Caller, pieces: AsyncIterator[UploadPiece], content_encoding: str = "") -> Receipt:
        """Takes a whole recording and queues its analysis. Whatever is raised, neither file nor meeting is left.

        Args:
            content_encoding: how the body was compressed on its way, as ``Content-Encoding`` says it.

        Raises:
            UnsupportedContentEncoding: the body is compressed in a way that nobody here reads.
            BadRequest: the body is not what its media type says, is cut short or empty, or a field is wrong.
            FileTooLarge: as soon as the limit is passed.
            RecordingTooLong: when the container states a length over the limit.
            ChannelsDiffer: the recording is known, with its channels taken for something else.
            Unauthenticated: the caller was deleted, or their token revoked, while the recording came.
            DiskFull: there is no room for it.
        """
        encoding = encoding_of(content_encoding)
        with self._audio_log.receive(caller.organization_id, self._max_bytes) as recording:
            try:
                body = await self._read(recording, pieces, encoding)
            except SizeLimitExceeded:
                raise FileTooLarge(self._max_bytes) from None
            details = checked_details(body.fields, body.file_name)
            path = await finished(asyncio.to_thread(recording.flush))
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

            async def file(connection: Connection) -> str:
                # One who deletes the same recording now waits, or has done so before it is there.
                await meetings.lock_recording(connection, meeting.organization_id, meeting.file_hash)
                # An upload may take hours, and the caller was asked who they are before it.
                if not await users.still_may_call(connection, caller.user_id, caller.token_issued_at):
                    raise Unauthenticated
                known = await meetings.analysed_channels(connection, meeting.organization_id, meeting.file_hash)
                if known is not None and meeting.channels not in (None, known):
                    raise ChannelsDiffer(known)
                status = await meetings.accept(connection, meeting)
                # After everything that the database may refuse, and before it keeps the meeting.
                await asyncio.to_thread(recording.commit)
                return status

            # The bytes are durable: patience with the database costs nothing and loses nothing. A client that goes
            # away now leaves a whole meeting.
            status = await finished(self._database.run(file, patience_s=20))
        return Receipt(meeting.file_hash, status)

    async def _read(
        self, recording: IncomingRecording, pieces: AsyncIterator[UploadPiece], encoding: Encoding
    ) -> UploadBody:
        body: UploadBody | None = None
        async for piece in pieces:
            if body is None:
                if not piece.content_type:
                    raise BadRequest("content-type", "missing")
                body = body_of(piece.content_type, recording)
                body.fields.update(piece.fields)
            if piece.data:
                # Unpacking, hashing and writing a piece takes milliseconds: not the event loop's.
                await finished(asyncio.to_thread(_feed, body, encoding, piece.data))
        if body is None:
            raise BadRequest("body", "missing")
        encoding.close()
        await finished(asyncio.to_thread(body.close))
        return body


def _feed(body: UploadBody, encoding: Encoding, data: bytes) -> None:
    for part in encoding.decoded(data):
        body.feed(part)


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` returns. Cancelled, it waits for the end of it all the same.

    A client may go at any moment; what is under way on its recording must not be left half done, nor lose its file.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            # Whatever it was, there is nobody left to tell.
            task.exception()
        raise

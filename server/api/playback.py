"""PlaybackService, and the sound itself over plain HTTP with byte ranges; see proto/meetra/v1/playback.proto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from google.api import httpbody_pb2
from grpc import aio
from meetra.v1 import playback_pb2 as pb
from meetra.v1 import playback_pb2_grpc
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from server.api.answers import Answers
from server.api.call_rule import declared_rule
from server.api.http_guard import HttpGuard
from server.api.ranged_file import GONE, RangedFile
from server.api.validation import validate_file_hash
from server.audio import UPLOADED, AudioLog, FileReader, KeptFile, edits_path, live_track_name
from server.audit import current_call
from server.auth import LISTEN, SessionGrants, current_caller, sound_id
from server.errors import AudioDeleted, AudioUnavailable, BadRequest, MeetingNotFound, MeetingStillProcessing
from server.export import MEDIA_TYPE, SUFFIXES, AudioFile, Playable, Playback, open_track
from server.insights import BALANCE
from server.lifecycle import MeetingStatus
from server.live import LiveConfig
from server.moments import utc_text
from server.storage import Database, ExportedMeeting, exports

PATH = "/single-feature-api/meeting/audio"
NORMALISED, REDACTED, ORIGINAL = "normalised", "redacted", "original"
# A page asks again; who downloads waits.
PATIENCE_S, DOWNLOAD_PATIENCE_S = 10.0, 240.0
LINK_LIFETIME_S = 3600
MAX_TRACK_DIGITS = 4
Context = aio.ServicerContext[Any, Any]
# What a browser is handed may run nothing, whatever its bytes are.
INERT = {"content-security-policy": "default-src 'none'; sandbox", "cross-origin-resource-policy": "same-origin"}
# Of what a gRPC message holds.
PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class HandedSound:
    """What is handed out: a file as it is kept, or a track as players read it."""

    media_type: str
    name: str
    """For people who save it."""
    inline: bool
    """Whether a browser plays it where it is."""
    file: KeptFile | None = None
    audio: AudioFile | None = None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the content. Raises AudioUnavailable for a file that went at this moment, StoreUnavailable."""
        if self.audio is not None:
            with self.audio:
                async with aclosing(self.audio.chunks()) as chunks:
                    async for data in chunks:
                        yield data
        elif self.file is not None:
            try:
                async with self.file.open() as reader:
                    async for data in _pieces(reader):
                        yield data
            except FileNotFoundError:
                raise AudioUnavailable(GONE) from None


class PlaybackServicer(playback_pb2_grpc.PlaybackServiceServicer):
    """See proto/meetra/v1/playback.proto."""

    def __init__(
        self, database: Database, answers: Answers, playback: Playback, grants: SessionGrants, audio_log: AudioLog
    ) -> None:
        self._database, self._answers, self._audio_log = database, answers, audio_log
        self._playback, self._grants = playback, grants

    async def PrepareMeetingAudio(  # noqa: N802
        self, request: pb.PrepareMeetingAudioRequest, context: Context
    ) -> pb.PrepareMeetingAudioResponse:
        """See PlaybackService.PrepareMeetingAudio."""
        caller = current_caller()
        found = await self.playable(request.file_hash, PATIENCE_S)
        if found is None:
            return pb.PrepareMeetingAudioResponse()
        file_hash = validate_file_hash(request.file_hash)
        facts = await found.sound.find()
        if facts is None:
            # It was deleted, or is made anew.
            return pb.PrepareMeetingAudioResponse()
        token, expires_at = await self._grants.create(caller, sound_id(file_hash), {LISTEN}, LINK_LIFETIME_S)
        return pb.PrepareMeetingAudioResponse(
            ready=True,
            url=f"{PATH}?file-hash={file_hash}&access_token={token}",
            expires_at=utc_text(expires_at),
            media_type=MEDIA_TYPE,
            duration_ms=found.duration_ms,
            size_bytes=facts.size_bytes,
        )

    async def GetMeetingAudio(  # noqa: N802
        self, request: pb.GetMeetingAudioRequest, context: Context
    ) -> AsyncGenerator[pb.GetMeetingAudioResponse, None]:
        """See PlaybackService.GetMeetingAudio."""
        sound = await self.open(request.file_hash, request.variant, request.track)
        async with aclosing(sound.chunks()) as chunks:
            async for data in chunks:
                for start in range(0, len(data), PIECE_BYTES):
                    piece = data[start : start + PIECE_BYTES]
                    body = httpbody_pb2.HttpBody(content_type=sound.media_type, data=piece)
                    yield pb.GetMeetingAudioResponse(body=body)

    async def GetMeetingPeaks(  # noqa: N802
        self, request: pb.GetMeetingPeaksRequest, context: Context
    ) -> pb.GetMeetingPeaksResponse:
        """See PlaybackService.GetMeetingPeaks."""
        found = await self.playable(request.file_hash, PATIENCE_S)
        if found is None:
            raise MeetingStillProcessing(100)
        try:
            async with found.peaks.open() as file:
                peaks = b"".join([data async for data in _pieces(file)])
        except FileNotFoundError:
            # It was deleted, or is made anew.
            raise MeetingStillProcessing(100) from None
        return pb.GetMeetingPeaksResponse(period_ms=found.period_ms, peaks=peaks, duration_ms=found.duration_ms)

    async def playable(self, file_hash: str, patience_s: float, *, redacted: bool = False) -> Playable | None:
        """Return the sound of a finished meeting of the caller's organization; None if it is being made still."""
        meeting = await self.find(validate_file_hash(file_hash))
        if meeting.listed.status != MeetingStatus.READY:
            # It says how far it is, or why it failed.
            await self._answers.get(file_hash, BALANCE)
        if redacted and not meeting.redact:
            raise BadRequest("variant", f"this meeting is not redacted; ask for {NORMALISED} or {ORIGINAL}")
        return await self._playback.find(current_caller().organization_id, meeting, patience_s)

    async def find(self, file_hash: str) -> ExportedMeeting:
        """Return a meeting of the caller's organization. Raises MeetingNotFound."""
        organization_id = current_caller().organization_id
        found = await self._database.run(
            lambda c: exports.find_meeting(c, organization_id, file_hash), organization_id=organization_id
        )
        if found is None:
            raise MeetingNotFound
        return found

    async def open(self, file_hash: str, variant: str, track: int) -> HandedSound:
        """Return what is handed out of a meeting of the caller's organization; see PlaybackService.GetMeetingAudio.

        Raises BadRequest, PermissionDenied, MeetingNotFound, MeetingStillProcessing, MeetingFailed, AudioDeleted,
        AudioUnavailable, DiskFull.
        """
        wanted, caller = validate_file_hash(file_hash), current_caller()
        caller.require_session(sound_id(wanted))
        if variant == ORIGINAL:
            # A link opens what its page plays.
            caller.require_session(None)
            return await self._original(caller.organization_id, wanted, track)
        if variant not in ("", NORMALISED, REDACTED):
            raise BadRequest("variant", f"must be {NORMALISED}, {REDACTED} or {ORIGINAL}")
        found = await self.playable(wanted, DOWNLOAD_PATIENCE_S, redacted=variant == REDACTED)
        if found is None:
            raise MeetingStillProcessing(100)
        return HandedSound(MEDIA_TYPE, f"{_name(wanted)}.webm", True, file=found.sound)

    async def _original(self, organization_id: UUID, file_hash: str, track: int) -> HandedSound:
        meeting = await self.find(file_hash)
        if meeting.audio_deleted_at is not None:
            raise AudioDeleted(meeting.audio_deleted_at)
        if meeting.redact:
            raise BadRequest("variant", f"this meeting is redacted; its original is not handed out, ask for {REDACTED}")
        if meeting.live_config is not None:
            return await self._track(organization_id, meeting, track)
        file = self._audio_log.kept.file(organization_id, file_hash, UPLOADED)
        if await file.find() is None:
            raise AudioUnavailable("its file is not in the audio log")
        # What an uploader called it is told to others only where it is sound.
        stated = meeting.media_type.split(";")[0].strip().lower()
        media_type = stated if stated in SUFFIXES else "application/octet-stream"
        return HandedSound(media_type, _name(file_hash) + SUFFIXES.get(stated, ""), False, file=file)

    async def _track(self, organization_id: UUID, meeting: ExportedMeeting, track: int) -> HandedSound:
        sources = LiveConfig.from_document(meeting.live_config or {}).sources
        if track >= len(sources):
            raise BadRequest("track", f"must be a number from 0 to {len(sources) - 1}")
        name = live_track_name(track)
        only = [name, edits_path(Path(name)).name]
        async with self._audio_log.live.opened(organization_id, meeting.listed.file_hash, only) as folder:
            # What is open is read after it is gone from there.
            audio = await asyncio.to_thread(open_track, folder / name, sources[track].format)
        if audio is None:
            raise AudioUnavailable("nothing was received of this track")
        media_type = {suffix: kind for kind, suffix in reversed(SUFFIXES.items())}[audio.suffix]
        name = f"{_name(meeting.listed.file_hash)}-track-{track}{audio.suffix}"
        return HandedSound(media_type, name, False, audio=audio)


async def _pieces(file: FileReader) -> AsyncGenerator[bytes, None]:
    while data := await file.read(PIECE_BYTES):
        yield data


def _name(file_hash: str) -> str:
    return f"meeting-{file_hash[:12]}"


class MeetingSound:
    """Answers ``GET /single-feature-api/meeting/audio``: GetMeetingAudio with ranges."""

    def __init__(self, servicer: PlaybackServicer) -> None:
        self._servicer = servicer

    def routes(self, guard: HttpGuard) -> list[BaseRoute]:
        """Return its routes."""
        rule = declared_rule("/meetra.v1.PlaybackService/GetMeetingAudio")
        return [Route(PATH, guard.endpoint(rule, self.answer, streams=True), methods=["GET"])]

    async def answer(self, request: Request) -> Response:
        """Answer one request, which may be for a range."""
        asked = request.query_params
        file_hash, track = asked.get("file-hash", ""), asked.get("track", "0")
        if (call := current_call()) is not None:
            call.concern(validate_file_hash(file_hash))
        if not (track.isascii() and track.isdigit() and len(track) <= MAX_TRACK_DIGITS):
            raise BadRequest("track", "must be a whole number")
        sound = await self._servicer.open(file_hash, asked.get("variant", ""), int(track))
        if sound.file is not None:
            return RangedFile(
                sound.file,
                headers=INERT,
                media_type=sound.media_type,
                filename=sound.name,
                content_disposition_type="inline" if sound.inline else "attachment",
            )
        assert sound.audio is not None
        headers = {
            **INERT,
            "content-length": str(sound.audio.size),
            "content-disposition": f'attachment; filename="{sound.name}"',
        }
        closing = BackgroundTask(sound.audio.file.close)
        return StreamingResponse(sound.chunks(), headers=headers, media_type=sound.media_type, background=closing)

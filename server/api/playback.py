"""PlaybackService, and the sound itself over plain HTTP with byte ranges; see proto/meetra/v1/playback.proto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from uuid import UUID

from grpc import aio
from meetra.v1 import access_pb2 as access
from meetra.v1 import playback_pb2 as pb
from meetra.v1 import playback_pb2_grpc
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from server.api.answers import Answers
from server.api.audit_rules import AuditRule
from server.api.call_rule import CallRule
from server.api.http_guard import HttpGuard
from server.api.ranged_file import RangedFile
from server.api.validation import validate_file_hash
from server.audio import AudioLog
from server.audit import current_call
from server.auth import LISTEN, SessionGrants, current_caller, sound_id
from server.errors import AudioDeleted, AudioUnavailable, BadRequest, MeetingNotFound, MeetingStillProcessing
from server.export import MEDIA_TYPE, SUFFIXES, Playable, Playback, open_track
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
_RULE = CallRule(
    "/meetra.v1.PlaybackService/GetMeetingAudio",
    frozenset({access.RIGHT_READ}),
    AuditRule("read", "meeting", False, ()),
    access.SESSION_SCOPE_LISTEN,
)


class PlaybackServicer(playback_pb2_grpc.PlaybackServiceServicer):
    """See proto/meetra/v1/playback.proto."""

    def __init__(self, database: Database, answers: Answers, playback: Playback, grants: SessionGrants) -> None:
        self._database, self._answers = database, answers
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
        try:
            facts = await asyncio.to_thread(found.sound.stat)
        except FileNotFoundError:
            # It was deleted, or is made anew.
            return pb.PrepareMeetingAudioResponse()
        token, expires_at = await self._grants.create(caller, sound_id(file_hash), {LISTEN}, LINK_LIFETIME_S)
        return pb.PrepareMeetingAudioResponse(
            ready=True,
            url=f"{PATH}?file-hash={file_hash}&access_token={token}",
            expires_at=utc_text(expires_at),
            media_type=MEDIA_TYPE,
            duration_ms=found.duration_ms,
            size_bytes=facts.st_size,
        )

    async def GetMeetingPeaks(  # noqa: N802
        self, request: pb.GetMeetingPeaksRequest, context: Context
    ) -> pb.GetMeetingPeaksResponse:
        """See PlaybackService.GetMeetingPeaks."""
        found = await self.playable(request.file_hash, PATIENCE_S)
        if found is None:
            raise MeetingStillProcessing(100)
        try:
            peaks = await asyncio.to_thread(found.peaks.read_bytes)
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


class MeetingSound:
    """Answers ``GET /single-feature-api/meeting/audio``."""

    def __init__(self, servicer: PlaybackServicer, audio_log: AudioLog) -> None:
        self._servicer, self._audio_log = servicer, audio_log

    def routes(self, guard: HttpGuard) -> list[BaseRoute]:
        """Return its routes."""
        return [Route(PATH, guard.endpoint(_RULE, self.answer, streams=True), methods=["GET"])]

    async def answer(self, request: Request) -> Response:
        """Answer one request, which may be for a range."""
        caller = current_caller()
        file_hash = validate_file_hash(request.query_params.get("file-hash", ""))
        caller.require_session(sound_id(file_hash))
        if (call := current_call()) is not None:
            call.concern(file_hash)
        variant = request.query_params.get("variant", NORMALISED)
        if variant == ORIGINAL:
            # A link opens what its page plays.
            caller.require_session(None)
            return await self._original(caller.organization_id, file_hash, request.query_params.get("track", "0"))
        if variant not in (NORMALISED, REDACTED):
            raise BadRequest("variant", f"must be {NORMALISED}, {REDACTED} or {ORIGINAL}")
        found = await self._servicer.playable(file_hash, DOWNLOAD_PATIENCE_S, redacted=variant == REDACTED)
        if found is None:
            raise MeetingStillProcessing(100)
        return RangedFile(
            found.sound,
            headers=INERT,
            media_type=MEDIA_TYPE,
            filename=f"meeting-{file_hash[:12]}.webm",
            content_disposition_type="inline",
        )

    async def _original(self, organization_id: UUID, file_hash: str, track: str) -> Response:
        meeting = await self._servicer.find(file_hash)
        if meeting.audio_deleted_at is not None:
            raise AudioDeleted(meeting.audio_deleted_at)
        if meeting.redact:
            raise BadRequest(
                "variant", f"this meeting is redacted, and its original is not handed out; ask for {REDACTED}"
            )
        name = f"meeting-{file_hash[:12]}"
        if meeting.live_config is None:
            path = self._audio_log.original(organization_id, file_hash)
            if not await asyncio.to_thread(path.is_file):
                raise AudioUnavailable("its file is not in the audio log")
            # What an uploader called it is shown to others only where it is sound.
            stated = meeting.media_type.split(";")[0].strip().lower()
            media_type = stated if stated in SUFFIXES else "application/octet-stream"
            return RangedFile(path, headers=INERT, media_type=media_type, filename=name + SUFFIXES.get(stated, ""))
        return await self._track(organization_id, meeting, name, track)

    async def _track(self, organization_id: UUID, meeting: ExportedMeeting, name: str, track: str) -> Response:
        sources = LiveConfig.from_document(meeting.live_config or {}).sources
        number = int(track) if track.isascii() and track.isdigit() and len(track) <= MAX_TRACK_DIGITS else len(sources)
        if number >= len(sources):
            raise BadRequest("track", f"must be a number from 0 to {len(sources) - 1}")
        path = self._audio_log.live_track(organization_id, meeting.listed.file_hash, number)
        audio = await asyncio.to_thread(open_track, path, sources[number].format)
        if audio is None:
            raise AudioUnavailable("nothing was received of this track")

        async def body() -> AsyncGenerator[bytes, None]:
            with audio:
                async with aclosing(audio.chunks()) as chunks:
                    async for data in chunks:
                        yield data

        headers = {
            **INERT,
            "content-length": str(audio.size),
            "content-disposition": f'attachment; filename="{name}-track-{number}{audio.suffix}"',
        }
        media_type = {suffix: kind for kind, suffix in reversed(SUFFIXES.items())}[audio.suffix]
        return StreamingResponse(
            body(), headers=headers, media_type=media_type, background=BackgroundTask(audio.file.close)
        )

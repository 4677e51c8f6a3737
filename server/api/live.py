"""LiveService: live meetings over one stream or by unary calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import UUID

from grpc import aio
from meetra.v1 import insights_pb2, live_pb2_grpc
from meetra.v1 import live_pb2 as pb

from server.api.live_control import TRACK_CHANGES, change_tracks, control, control_by_message
from server.api.live_list import running_message
from server.api.live_validation import validate_config
from server.api.live_watch import watch_events
from server.api.metadata import content_encoding, wants_head_only
from server.api.validation import page_of, parse_page_token, parse_uuid, validate_file_hash, validate_page_size
from server.audit import current_call
from server.auth import MAX_LIFETIME_S, SESSION_SCOPES, SessionGrants, current_caller
from server.config import ServerSettings
from server.engine import model_label
from server.errors import BadRequest, MeetingNotFound, MeetingOver
from server.live import (
    MAX_CHUNK_BYTES,
    MAX_TRACKS,
    UNARY_TIMEOUT_S,
    WATCHED_S,
    LiveSession,
    LiveSessionRegistry,
    LiveState,
    SenderConnection,
    track_states,
)
from server.meetings import decompress_body
from server.moments import utc_text
from server.storage import Database, live_reports

Context = aio.ServicerContext[Any, Any]
# Seconds between two acknowledgements on a stream.
ACK_EVERY_S = 0.2
# How long a SendAudio call waits for the calls before it, seconds; live.proto says so.
EARLIER_CALLS_S = 2.0
# Of a session token that asks for none; live.proto says so.
DEFAULT_LIFETIME_S = 3600


class LiveServicer(live_pb2_grpc.LiveServiceServicer):
    """See proto/meetra/v1/live.proto."""

    def __init__(
        self, meetings: LiveSessionRegistry, settings: ServerSettings, grants: SessionGrants, database: Database
    ) -> None:
        self._meetings, self._grants, self._database = meetings, grants, database
        self._acknowledgement = (
            pb.ACKNOWLEDGEMENT_REMOTE if settings.live_acknowledge == "remote" else pb.ACKNOWLEDGEMENT_LOCAL
        )
        self._limits = pb.LiveLimits(
            chunk_bytes=MAX_CHUNK_BYTES,
            tracks=MAX_TRACKS,
            duration_s=round(settings.live_max_duration_s),
            grace_s=round(settings.live_grace_s),
            sender_s=round(UNARY_TIMEOUT_S),
            watched_s=round(WATCHED_S),
        )

    async def StreamMeeting(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.StreamMeetingRequest], context: Context
    ) -> AsyncGenerator[pb.StreamMeetingResponse, None]:
        """See LiveService.StreamMeeting."""
        requests = aiter(request_iterator)
        first = await anext(requests, None)
        if first is None or first.WhichOneof("payload") != "config":
            raise BadRequest("config", "missing; the first message must contain it")
        meeting, connection = await self._open(first.config, streams=True)
        try:
            yield pb.StreamMeetingResponse(ready=self._ready(meeting, connection))
            stream = ResponseStream(meeting, connection, first.config.after_event_seq)
            async with aclosing(stream.responses(requests)) as responses:
                async for response in responses:
                    yield response
        finally:
            meeting.sender_slot.release(connection)

    async def OpenMeeting(self, request: pb.OpenMeetingRequest, context: Context) -> pb.OpenMeetingResponse:  # noqa: N802
        """See LiveService.OpenMeeting."""
        meeting, connection = await self._open(request.config, streams=False)
        return pb.OpenMeetingResponse(ready=self._ready(meeting, connection))

    async def SendAudio(self, request: pb.SendAudioRequest, context: Context) -> pb.SendAudioResponse:  # noqa: N802
        """See LiveService.SendAudio."""
        meeting = await self._find(request.session_id, request.owner)
        if meeting.finishing:
            raise MeetingOver
        sender = meeting.sender_slot.require(request.owner)
        data = request.body.data
        if encoding := content_encoding(context):
            data = decompress_body(encoding, data, MAX_CHUNK_BYTES)
        chunk = pb.AudioChunk(
            track_id=request.track_id,
            first_sample=request.first_sample,
            data=data,
            length_prefixed=request.length_prefixed,
            gap_samples=request.gap_samples,
            captured_ms=request.captured_ms if request.HasField("captured_ms") else None,
        )
        await meeting.audio.wait_until_committed(*await meeting.receive(chunk, sender, EARLIER_CALLS_S))
        positions = [p for p in _positions(meeting) if p.track_id == request.track_id]
        return pb.SendAudioResponse(ack=_ack(meeting, positions))

    async def ControlMeeting(  # noqa: N802
        self, request: pb.ControlMeetingRequest, context: Context
    ) -> pb.ControlMeetingResponse:
        """See LiveService.ControlMeeting."""
        meeting = await self._find(request.session_id, request.owner)
        return await control_by_message(meeting, request.owner, request.control)

    async def WatchMeeting(  # noqa: N802
        self, request: pb.WatchMeetingRequest, context: Context
    ) -> AsyncGenerator[pb.WatchMeetingResponse, None]:
        """See LiveService.WatchMeeting."""
        _require_event_seq("after_event_seq", request.after_event_seq)
        meeting = await self._meetings.watch(await self._watched_session(request), current_caller())
        if wants_head_only(context):
            return
        async with aclosing(watch_events(meeting, request.after_event_seq)) as responses:
            async for response in responses:
                yield response

    async def ListLiveMeetings(  # noqa: N802
        self, request: pb.ListLiveMeetingsRequest, context: Context
    ) -> pb.ListLiveMeetingsResponse:
        """See LiveService.ListLiveMeetings."""
        organization_id = current_caller().organization_id
        size, after = validate_page_size(request.page_size), parse_page_token(request.page_token)
        found = await self._database.run(
            lambda c: live_reports.list_running(c, organization_id, size + 1, after), organization_id=organization_id
        )
        listed, token = page_of(found, size)
        return pb.ListLiveMeetingsResponse(meetings=map(running_message, listed), next_page_token=token)

    async def _watched_session(self, request: pb.WatchMeetingRequest) -> UUID:
        """Return the session that a watcher names. Raises BadRequest, MeetingNotFound."""
        if not request.file_hash:
            if not request.session_id:
                raise BadRequest("session_id", "missing; pass the session, or `file-hash`")
            return parse_uuid("session_id", request.session_id)
        if request.session_id:
            raise BadRequest("file-hash", "given beside `session_id`; pass one of them")
        file_hash, organization_id = validate_file_hash(request.file_hash), current_caller().organization_id
        if (audited := current_call()) is not None:
            audited.concern(file_hash)
        session_id = await self._database.run(
            lambda c: live_reports.find_session(c, organization_id, file_hash), organization_id=organization_id
        )
        if session_id is None:
            raise MeetingNotFound
        return session_id

    async def CreateSessionToken(  # noqa: N802
        self, request: pb.CreateSessionTokenRequest, context: Context
    ) -> pb.CreateSessionTokenResponse:
        """See LiveService.CreateSessionToken."""
        session_id, caller = parse_uuid("session_id", request.session_id), current_caller()
        if not request.scopes or not set(request.scopes) <= set(SESSION_SCOPES):
            raise BadRequest("scopes", f"must be one or several of {', '.join(SESSION_SCOPES)}")
        if not 0 <= request.lifetime_s <= MAX_LIFETIME_S:
            raise BadRequest("lifetime_s", f"{request.lifetime_s}; must be 1 to {MAX_LIFETIME_S}, or 0 for an hour")
        if (await self._meetings.look_up(session_id, caller)).concluded:
            raise MeetingOver
        lifetime_s = request.lifetime_s or DEFAULT_LIFETIME_S
        token, expires_at = await self._grants.create(caller, session_id, set(request.scopes), lifetime_s)
        return pb.CreateSessionTokenResponse(token=token, expires_at=utc_text(expires_at))

    async def _open(self, config: pb.LiveConfig, *, streams: bool) -> tuple[LiveSession, SenderConnection]:
        caller = current_caller()
        _require_event_seq("config.after_event_seq", config.after_event_seq)
        # First, so that there is no meeting or connection to undo if it fails.
        await self._meetings.wait_for_engine()
        if config.session_id:
            session_id = parse_uuid("config.session_id", config.session_id)
            meeting = await self._meetings.find(session_id, caller, take_over=config.take_over)
        else:
            checked = validate_config(config)
            # Before the engine is asked anything: one that is overloaded answers late.
            await self._meetings.require_room(caller.organization_id)
            await self._meetings.require_known_language(checked.language)
            meeting = await self._meetings.open(checked, caller)
        return meeting, await meeting.connect(take_over=config.take_over, streams=streams)

    async def _find(self, session_id: str, owner: int) -> LiveSession:
        return await self._meetings.find(parse_uuid("session_id", session_id), current_caller(), owner=owner)

    def _ready(self, meeting: LiveSession, connection: SenderConnection) -> pb.LiveReady:
        capabilities = meeting.tracks.engine
        engine = None
        if capabilities is not None:
            engine = insights_pb2.EngineCapabilities(
                models=map(model_label, capabilities.models),
                overlap=capabilities.overlap,
                languages=capabilities.languages,
                max_speakers=capabilities.max_speakers,
                word_times=capabilities.word_times,
                key_terms=capabilities.key_terms,
            )
        return pb.LiveReady(
            session_id=str(meeting.row.meeting_id),
            file_hash=meeting.row.file_hash,
            limits=self._limits,
            tracks=_positions(meeting),
            engine=engine,
            owner=connection.owner,
            last_event_seq=meeting.events.last_seq,
            finishing=meeting.finishing,
            track_states=track_states(meeting.config),
            rule_ids=[rule.id for rule in meeting.config.rules],
            acknowledgement=self._acknowledgement,
        )


def _positions(meeting: LiveSession) -> list[pb.TrackPosition]:
    return [
        pb.TrackPosition(track_id=track_log.track.track_id, next_sample=track_log.committed)
        for track_log in meeting.audio.logs
    ]


def _ack(meeting: LiveSession, positions: list[pb.TrackPosition]) -> pb.Ack:
    return pb.Ack(tracks=positions, lag_ms=meeting.tracks.lag_ms(), words_lag_ms=meeting.tracks.words_lag_ms())


def _require_event_seq(name: str, event_seq: int) -> None:
    """Check the number of the last event seen. Raises BadRequest naming the field ``name``."""
    if event_seq < 0:
        raise BadRequest(name, f"{event_seq}; must be 0 or more")


class ResponseStream:
    """The responses to the client that sends, in order: acknowledgements and events."""

    def __init__(self, meeting: LiveSession, connection: SenderConnection, after_event_seq: int) -> None:
        self._meeting, self._connection = meeting, connection
        self._last_event_seq = after_event_seq
        self._acknowledged = {position.track_id: position.next_sample for position in _positions(meeting)}

    async def responses(
        self, requests: AsyncIterator[pb.StreamMeetingRequest]
    ) -> AsyncGenerator[pb.StreamMeetingResponse, None]:
        """Yield responses until the last event or until the client leaves.

        Raises the error that ends the connection.
        """
        wake = self._connection.wake
        work = [asyncio.create_task(self._read(requests)), asyncio.create_task(self._watch_audio())]
        self._meeting.events.listen(wake)
        try:
            while True:
                wake.clear()
                self._raise_failure(work)
                for ack in self._new_acks():
                    yield ack
                while events := await self._meeting.events.after(self._last_event_seq):
                    for event in events:
                        yield pb.StreamMeetingResponse(event=event)
                    self._last_event_seq = events[-1].event_seq
                if self._meeting.state is LiveState.CONCLUDED and self._last_event_seq >= self._meeting.events.last_seq:
                    return
                if work[0].done() and not self._meeting.finishing:
                    # What it sent last may have been refused while events were read.
                    self._raise_failure(work)
                    # The client left or stopped sending without finishing: the meeting waits for a reconnect.
                    return
                await wake.wait()
        finally:
            self._meeting.events.forget(wake)
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    def _raise_failure(self, work: list[asyncio.Task[None]]) -> None:
        if self._connection.failure is not None:
            raise self._connection.failure
        if self._meeting.lost:
            raise self._meeting.failure
        for task in work:
            if task.done():
                task.result()

    def _new_acks(self) -> list[pb.StreamMeetingResponse]:
        positions = _positions(self._meeting)
        advanced = [p for p in positions if p.next_sample != self._acknowledged.get(p.track_id, 0)]
        self._acknowledged = {position.track_id: position.next_sample for position in positions}
        if not advanced:
            return []
        return [pb.StreamMeetingResponse(ack=_ack(self._meeting, advanced))]

    async def _read(self, requests: AsyncIterator[pb.StreamMeetingRequest]) -> None:
        try:
            async for request in requests:
                kind = request.WhichOneof("payload")
                if kind == "audio":
                    await self._meeting.receive(request.audio, self._connection)
                elif kind == "control":
                    await control(self._meeting, request.control)
                elif kind in TRACK_CHANGES:
                    await change_tracks(self._meeting, self._connection, kind, request)
                else:
                    raise BadRequest("payload", "must be audio, control or a change of tracks after the config")
        finally:
            self._connection.wake.set()

    async def _watch_audio(self) -> None:
        try:
            while not self._meeting.audio.ended:
                await self._meeting.audio.wait_for_commit(list(self._acknowledged.values()))
                self._connection.wake.set()
                await asyncio.sleep(ACK_EVERY_S)
        finally:
            self._connection.wake.set()

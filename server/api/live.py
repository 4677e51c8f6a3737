"""LiveService: live meetings over one stream or by unary calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

from grpc import aio
from meetra.v1 import insights_pb2, live_pb2_grpc
from meetra.v1 import live_pb2 as pb

from server.api.live_validation import MAX_TRACKS, validate_config
from server.api.metadata import content_encoding, wants_head_only
from server.api.validation import parse_uuid
from server.audit import current_call
from server.auth import current_caller
from server.config import ServerSettings
from server.engine import model_label
from server.errors import BadRequest, MeetingOver
from server.live import (
    MAX_CHUNK_BYTES,
    UNARY_TIMEOUT_S,
    WATCHED_S,
    LiveSession,
    LiveSessionRegistry,
    LiveState,
    SenderConnection,
)
from server.meetings import decompress_body

Context = aio.ServicerContext[Any, Any]
# Seconds between two acknowledgements on a stream.
ACK_EVERY_S = 0.2
# Seconds without an event after which a watcher receives a sign of life.
HEARTBEAT_S = 15.0
# How long a SendAudio call waits for the calls before it, seconds; live.proto says so.
EARLIER_CALLS_S = 2.0


class LiveServicer(live_pb2_grpc.LiveServiceServicer):
    """See proto/meetra/v1/live.proto."""

    def __init__(self, meetings: LiveSessionRegistry, settings: ServerSettings) -> None:
        self._meetings = meetings
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
        meeting = await self._find(request.session_id)
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
        )
        await meeting.audio.wait_until_committed(*await meeting.receive(chunk, sender, EARLIER_CALLS_S))
        positions = [p for p in _positions(meeting) if p.track_id == request.track_id]
        return pb.SendAudioResponse(ack=_ack(meeting, positions))

    async def ControlMeeting(  # noqa: N802
        self, request: pb.ControlMeetingRequest, context: Context
    ) -> pb.ControlMeetingResponse:
        """See LiveService.ControlMeeting."""
        meeting = await self._find(request.session_id)
        if not meeting.finishing:
            meeting.sender_slot.require(request.owner)
        await _control(meeting, request.control.action)
        return pb.ControlMeetingResponse()

    async def WatchMeeting(  # noqa: N802
        self, request: pb.WatchMeetingRequest, context: Context
    ) -> AsyncGenerator[pb.WatchMeetingResponse, None]:
        """See LiveService.WatchMeeting."""
        _require_event_seq("after_event_seq", request.after_event_seq)
        meeting = await self._find(request.session_id)
        if wants_head_only(context):
            return
        stream = ResponseStream(meeting, None, request.after_event_seq)
        async with aclosing(stream.responses(None)) as responses:
            async for response in responses:
                if response.HasField("event"):
                    yield pb.WatchMeetingResponse(event=response.event)
                else:
                    heartbeat = pb.Heartbeat(last_event_seq=stream.last_event_seq)
                    yield pb.WatchMeetingResponse(heartbeat=heartbeat)

    async def _open(self, config: pb.LiveConfig, *, streams: bool) -> tuple[LiveSession, SenderConnection]:
        caller = current_caller()
        _require_event_seq("config.after_event_seq", config.after_event_seq)
        # First, so that there is no meeting or connection to undo if it fails.
        await self._meetings.wait_for_engine()
        if config.session_id:
            meeting = await self._meetings.find(parse_uuid("config.session_id", config.session_id), caller)
        else:
            meeting = await self._meetings.open(validate_config(config), caller)
        return meeting, await meeting.connect(take_over=config.take_over, streams=streams)

    async def _find(self, session_id: str) -> LiveSession:
        return await self._meetings.find(parse_uuid("session_id", session_id), current_caller())

    def _ready(self, meeting: LiveSession, connection: SenderConnection) -> pb.LiveReady:
        capabilities = meeting.engine
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
            rule_ids=[rule.id for rule in meeting.config.rules],
        )


def _positions(meeting: LiveSession) -> list[pb.TrackPosition]:
    return [
        pb.TrackPosition(track_id=track_log.track.track_id, next_sample=track_log.committed)
        for track_log in meeting.audio.logs
    ]


def _ack(meeting: LiveSession, positions: list[pb.TrackPosition]) -> pb.Ack:
    return pb.Ack(tracks=positions, lag_ms=meeting.lag_ms(), words_lag_ms=meeting.words_lag_ms())


async def _control(meeting: LiveSession, action: int) -> None:
    if action == pb.CONTROL_FLUSH:
        await meeting.flush()
    elif action == pb.CONTROL_FINISH:
        if not meeting.finishing and (audited := current_call()) is not None:
            await audited.add("LiveService/ControlMeeting", "change", "meeting", meeting.row.file_hash)
        meeting.finish()
    else:
        raise BadRequest("control", "must be CONTROL_FLUSH or CONTROL_FINISH")


def _require_event_seq(name: str, event_seq: int) -> None:
    """Check the number of the last event seen. Raises BadRequest naming the field ``name``."""
    if event_seq < 0:
        raise BadRequest(name, f"{event_seq}; must be 0 or more")


class ResponseStream:
    """The responses to one client, in order: acknowledgements for the sender, events for everyone."""

    def __init__(self, meeting: LiveSession, connection: SenderConnection | None, after_event_seq: int) -> None:
        self._meeting, self._connection = meeting, connection
        self.last_event_seq = after_event_seq
        """The last event sent."""
        self._wake = connection.wake if connection is not None else asyncio.Event()
        self._acknowledged = [track_log.committed for track_log in meeting.audio.logs]

    async def responses(
        self, requests: AsyncIterator[pb.StreamMeetingRequest] | None
    ) -> AsyncGenerator[pb.StreamMeetingResponse, None]:
        """Yield responses until the last event or until the client leaves; to a watcher empty ones as signs of life.

        Raises the error that ends the connection.
        """
        work: list[asyncio.Task[None]] = []
        if requests is not None and self._connection is not None:
            reading, watching = self._read(requests, self._connection), self._watch_audio()
            work = [asyncio.create_task(reading), asyncio.create_task(watching)]
        self._meeting.events.listen(self._wake)
        # Gateways hand on an answer with its first message: a watcher hears at once that it is connected.
        silent = self.last_event_seq >= self._meeting.events.last_seq
        try:
            while True:
                self._wake.clear()
                self._raise_failure(work)
                for ack in self._new_acks():
                    yield ack
                while events := await self._meeting.events.after(self.last_event_seq):
                    for event in events:
                        yield pb.StreamMeetingResponse(event=event)
                    self.last_event_seq = events[-1].event_seq
                if self._meeting.state is LiveState.CONCLUDED and self.last_event_seq >= self._meeting.events.last_seq:
                    return
                if work and work[0].done() and not self._meeting.finishing:
                    # The client left or stopped sending without finishing: the meeting waits for a reconnect.
                    return
                if (silent or not await self._woken()) and self._connection is None:
                    yield pb.StreamMeetingResponse()
                silent = False
        finally:
            self._meeting.events.forget(self._wake)
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _woken(self) -> bool:
        """Wait until something has happened; return False if nothing has for ``HEARTBEAT_S``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_S):
                return await self._wake.wait()
        return False

    def _raise_failure(self, work: list[asyncio.Task[None]]) -> None:
        if self._connection is not None and self._connection.failure is not None:
            raise self._connection.failure
        if self._meeting.lost:
            raise self._meeting.failure
        for task in work:
            if task.done():
                task.result()

    def _new_acks(self) -> list[pb.StreamMeetingResponse]:
        if self._connection is None:
            return []
        positions, acknowledged_before = _positions(self._meeting), self._acknowledged
        advanced = [
            position
            for position, acknowledged in zip(positions, acknowledged_before, strict=True)
            if position.next_sample != acknowledged
        ]
        self._acknowledged = [position.next_sample for position in positions]
        if not advanced:
            return []
        return [pb.StreamMeetingResponse(ack=_ack(self._meeting, advanced))]

    async def _read(self, requests: AsyncIterator[pb.StreamMeetingRequest], connection: SenderConnection) -> None:
        try:
            async for request in requests:
                kind = request.WhichOneof("payload")
                if kind == "audio":
                    await self._meeting.receive(request.audio, connection)
                elif kind == "control":
                    await _control(self._meeting, request.control)
                else:
                    raise BadRequest("payload", "must be audio or control after the config")
        finally:
            self._wake.set()

    async def _watch_audio(self) -> None:
        try:
            while not self._meeting.audio.ended:
                await self._meeting.audio.wait_for_commit(self._acknowledged)
                self._wake.set()
                await asyncio.sleep(ACK_EVERY_S)
        finally:
            self._wake.set()

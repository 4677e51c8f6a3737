"""LiveService: live meetings over one stream or by unary calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from grpc import aio
from meetra.v1 import insights_pb2, live_pb2_grpc
from meetra.v1 import live_pb2 as pb

from server.api.live_validation import MAX_TRACKS, checked_config
from server.api.metadata import content_encoding, wants_head_only
from server.api.validation import checked_uuid
from server.auth import current_caller
from server.config import ServerSettings
from server.engine import label_of
from server.errors import BadRequest
from server.live import MAX_CHUNK_BYTES, Connection, LiveMeeting, LiveMeetings, LiveState
from server.meetings import unpacked

Context = aio.ServicerContext[Any, Any]
# Seconds between two acknowledgements on a stream.
ACK_EVERY_S = 0.2


class LiveServicer(live_pb2_grpc.LiveServiceServicer):
    """See proto/meetra/v1/live.proto."""

    def __init__(self, meetings: LiveMeetings, settings: ServerSettings) -> None:
        self._meetings = meetings
        self._limits = pb.LiveLimits(
            chunk_bytes=MAX_CHUNK_BYTES,
            tracks=MAX_TRACKS,
            duration_s=round(settings.live_max_duration_s),
            grace_s=round(settings.live_grace_s),
        )

    async def StreamMeeting(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.StreamMeetingRequest], context: Context
    ) -> AsyncGenerator[pb.StreamMeetingResponse, None]:
        """See LiveService.StreamMeeting."""
        requests = aiter(request_iterator)
        first = await anext(requests, None)
        if first is None or first.WhichOneof("payload") != "config":
            raise BadRequest("config", "the first message must carry it")
        meeting, connection = await self._open(first.config, streams=True)
        try:
            yield pb.StreamMeetingResponse(ready=self._ready(meeting, connection))
            outbox = Outbox(meeting, connection, first.config.after_event_seq)
            async with aclosing(outbox.responses(requests)) as responses:
                async for response in responses:
                    yield response
        finally:
            meeting.clients.leave(connection)

    async def OpenMeeting(self, request: pb.OpenMeetingRequest, context: Context) -> pb.OpenMeetingResponse:  # noqa: N802
        """See LiveService.OpenMeeting."""
        meeting, connection = await self._open(request.config, streams=False)
        return pb.OpenMeetingResponse(ready=self._ready(meeting, connection))

    async def SendAudio(self, request: pb.SendAudioRequest, context: Context) -> pb.SendAudioResponse:  # noqa: N802
        """See LiveService.SendAudio."""
        meeting = await self._found(request.session_id)
        sender = meeting.clients.sender(request.owner)
        data = request.body.data
        if packing := content_encoding(context):
            data = unpacked(packing, data, MAX_CHUNK_BYTES)
        chunk = pb.AudioChunk(track_id=request.track_id, first_sample=request.first_sample, data=data)
        await meeting.receive(chunk, sender)
        await meeting.audio.committed()
        of_track = [p for p in _positions(meeting) if p.track_id == request.track_id]
        return pb.SendAudioResponse(ack=pb.Ack(tracks=of_track, lag_ms=meeting.lag_ms()))

    async def ControlMeeting(  # noqa: N802
        self, request: pb.ControlMeetingRequest, context: Context
    ) -> pb.ControlMeetingResponse:
        """See LiveService.ControlMeeting."""
        meeting = await self._found(request.session_id)
        if not meeting.finishing:
            meeting.clients.sender(request.owner)
        await _control(meeting, request.control.action)
        return pb.ControlMeetingResponse()

    async def WatchMeeting(  # noqa: N802
        self, request: pb.WatchMeetingRequest, context: Context
    ) -> AsyncGenerator[pb.WatchMeetingResponse, None]:
        """See LiveService.WatchMeeting."""
        meeting = await self._found(request.session_id)
        if wants_head_only(context):
            return
        outbox = Outbox(meeting, None, request.after_event_seq)
        async with aclosing(outbox.responses(None)) as responses:
            async for response in responses:
                yield pb.WatchMeetingResponse(event=response.event)

    async def _open(self, config: pb.LiveConfig, *, streams: bool) -> tuple[LiveMeeting, Connection]:
        caller = current_caller()
        if config.after_event_seq < 0:
            raise BadRequest("config.after_event_seq", f"{config.after_event_seq}; 0 or more")
        # First, so that there is no meeting or connection to undo if it fails.
        await self._meetings.until_engine_known()
        if config.session_id:
            meeting = await self._meetings.find(checked_uuid("config.session_id", config.session_id), caller)
        else:
            meeting = await self._meetings.open(checked_config(config), caller)
        return meeting, await meeting.connect(take_over=config.take_over, streams=streams)

    async def _found(self, session_id: str) -> LiveMeeting:
        return await self._meetings.find(checked_uuid("session_id", session_id), current_caller())

    def _ready(self, meeting: LiveMeeting, connection: Connection) -> pb.LiveReady:
        said = meeting.engine
        engine = None
        if said is not None:
            engine = insights_pb2.EngineCapabilities(
                models=map(label_of, said.models),
                overlap=said.overlap,
                languages=said.languages,
                max_speakers=said.max_speakers,
                word_times=said.word_times,
                key_terms=said.key_terms,
            )
        return pb.LiveReady(
            session_id=str(meeting.row.meeting_id),
            file_hash=meeting.row.file_hash,
            limits=self._limits,
            tracks=_positions(meeting),
            engine=engine,
            owner=connection.owner,
            last_event_seq=meeting.events.last,
            finishing=meeting.finishing,
        )


def _positions(meeting: LiveMeeting) -> list[pb.TrackPosition]:
    return [pb.TrackPosition(track_id=one.track.track_id, next_sample=one.committed) for one in meeting.audio.logs]


async def _control(meeting: LiveMeeting, action: int) -> None:
    if action == pb.CONTROL_FLUSH:
        await meeting.audio.committed()
    elif action == pb.CONTROL_FINISH:
        meeting.finish()
    else:
        raise BadRequest("control", "CONTROL_FLUSH or CONTROL_FINISH")


class Outbox:
    """The responses to one client, in order: acknowledgements for the sender, events for everyone."""

    def __init__(self, meeting: LiveMeeting, connection: Connection | None, after_event_seq: int) -> None:
        self._meeting, self._connection = meeting, connection
        self._seen = after_event_seq
        self._wake = connection.wake if connection is not None else asyncio.Event()
        self._acknowledged = [one.committed for one in meeting.audio.logs]

    async def responses(
        self, requests: AsyncIterator[pb.StreamMeetingRequest] | None
    ) -> AsyncGenerator[pb.StreamMeetingResponse, None]:
        """Yield responses until the last event or until the client leaves.

        Raises the error that ends the connection.
        """
        work: list[asyncio.Task[None]] = []
        if requests is not None and self._connection is not None:
            reading, watching = self._read(requests, self._connection), self._watch_audio()
            work = [asyncio.create_task(reading), asyncio.create_task(watching)]
        self._meeting.events.listen(self._wake)
        try:
            while True:
                self._wake.clear()
                self._check(work)
                for ack in self._acks():
                    yield ack
                while events := await self._meeting.events.after(self._seen):
                    for event in events:
                        yield pb.StreamMeetingResponse(event=event)
                    self._seen = events[-1].event_seq
                if self._meeting.state is LiveState.CONCLUDED and self._seen >= self._meeting.events.last:
                    return
                if work and work[0].done() and not self._meeting.finishing:
                    # The client left or stopped sending without finishing: the meeting waits for a reconnect.
                    return
                await self._wake.wait()
        finally:
            self._meeting.events.forget(self._wake)
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    def _check(self, work: list[asyncio.Task[None]]) -> None:
        if self._connection is not None and self._connection.failure is not None:
            raise self._connection.failure
        if self._meeting.lost:
            raise self._meeting.failure
        for task in work:
            if task.done():
                task.result()

    def _acks(self) -> list[pb.StreamMeetingResponse]:
        if self._connection is None:
            return []
        positions, before = _positions(self._meeting), self._acknowledged
        moved = [now for now, then in zip(positions, before, strict=True) if now.next_sample != then]
        self._acknowledged = [now.next_sample for now in positions]
        if not moved:
            return []
        return [pb.StreamMeetingResponse(ack=pb.Ack(tracks=moved, lag_ms=self._meeting.lag_ms()))]

    async def _read(self, requests: AsyncIterator[pb.StreamMeetingRequest], connection: Connection) -> None:
        try:
            async for request in requests:
                kind = request.WhichOneof("payload")
                if kind == "audio":
                    await self._meeting.receive(request.audio, connection)
                elif kind == "control":
                    await _control(self._meeting, request.control)
                else:
                    raise BadRequest("payload", "only audio and control may follow the config")
        finally:
            self._wake.set()

    async def _watch_audio(self) -> None:
        try:
            while not self._meeting.audio.ended:
                await self._meeting.audio.moved(self._acknowledged)
                self._wake.set()
                await asyncio.sleep(ACK_EVERY_S)
        finally:
            self._wake.set()

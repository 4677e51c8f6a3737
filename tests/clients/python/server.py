"""A real gRPC server that keeps to the live protocol, except where a test tells it to misbehave."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from grpc import StatusCode, aio
from meetra.v1 import auth_pb2, auth_pb2_grpc, live_pb2, live_pb2_grpc

from server import errors
from server.api.rich_status import DETAILS_TRAILER, rich_status

SAMPLE_BYTES = 2
MAX_TRACKS = 4
CHANGES = ("add_track", "end_track", "rename_track")


@dataclass
class Session:
    """One meeting in memory; s16le mono tracks."""

    audio: dict[str, bytearray]
    tracks: dict[str, live_pb2.LiveTrackState] = field(default_factory=dict)
    events: list[live_pb2.LiveEvent] = field(default_factory=list)
    finishing: bool = False
    tells_no_names: bool = False
    """As where names are redacted."""
    holder: object = None
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, **event: Any) -> None:
        self.events.append(live_pb2.LiveEvent(event_seq=len(self.events) + 1, **event))
        self.news.set()

    def finish(self) -> None:
        if not self.finishing:
            self.finishing = True
            self.say(finished=live_pb2.LiveFinished(file_hash="f" * 64, status="ready"))

    def change(self, request: live_pb2.StreamMeetingRequest) -> errors.MeetraError | None:
        """Carries an instruction out and tells it; returns why not."""
        if request.HasField("add_track"):
            track = request.add_track
            if track.track_id in self.tracks:
                return None if self.tracks[track.track_id].kind == track.kind else errors.TrackDiffers(track.track_id)
            if len(self.tracks) == MAX_TRACKS:
                return errors.TooManyTracks(MAX_TRACKS)
            self.audio[track.track_id] = bytearray()
            self._tell(live_pb2.TRACK_CHANGE_ADDED, state_of(track, start_ms=track.start_ms or 7000))
        elif request.HasField("end_track"):
            state = self.tracks[request.end_track.track_id]
            if not state.ended:
                self._tell(live_pb2.TRACK_CHANGE_ENDED, state, ended=True)
        else:
            renamed = request.rename_track
            if renamed.participant_name == "one too many":
                return errors.TooManyRenames(500)
            state = self.tracks[renamed.track_id]
            if not self.tells_no_names and state.participant_name != renamed.participant_name.strip():
                self._tell(live_pb2.TRACK_CHANGE_RENAMED, state, participant_name=renamed.participant_name.strip())
        return None

    def _tell(self, change: live_pb2.TrackChange.ValueType, state: live_pb2.LiveTrackState, **fields: Any) -> None:
        track = self.tracks[state.track_id] = live_pb2.LiveTrackState()
        track.CopyFrom(state)
        track.MergeFrom(live_pb2.LiveTrackState(**fields))
        self.say(track=live_pb2.LiveTrackChange(change=change, track=track))

    def positions(self) -> list[live_pb2.TrackPosition]:
        return [
            live_pb2.TrackPosition(track_id=name, next_sample=len(audio) // SAMPLE_BYTES)
            for name, audio in self.audio.items()
        ]


@dataclass
class Mischief:
    """What goes wrong on one connection."""

    refuse: StatusCode | errors.MeetraError | None = None
    """Says this to the config."""
    never_ready: bool = False
    """Takes the config and ends the call."""
    break_after_chunks: int | None = None
    """Ends the call after so many chunks, the last of which is stored and not acknowledged."""
    break_with: StatusCode | errors.MeetraError = StatusCode.UNAVAILABLE
    """OK ends the stream as if all were done."""
    store_of_last: float = 1.0
    """Part of the last chunk that is stored."""
    replay: int = 0
    """Sends so many events again that were seen."""
    forget_samples: int = 0
    """Asks for so many samples again that it had acknowledged."""
    break_at_change: bool = False
    """Ends the call at the first change of tracks."""
    carry_out: bool = False
    """That change is carried out before."""
    break_at_finish: bool = False
    """Takes FINISH and ends the call before it says anything."""


class CrookedServer(live_pb2_grpc.LiveServiceServicer, auth_pb2_grpc.AuthServiceServicer):
    """Each connection takes the next mischief; when they are used up it behaves."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.mischief: deque[Mischief] = deque()
        self.configs: list[live_pb2.LiveConfig] = []
        self.chunks: list[live_pb2.AudioChunk] = []
        self.tokens = {"a token"}
        self.acknowledging = asyncio.Event()
        self.acknowledging.set()
        self.running_calls = 0
        self.flushes = 0
        self.received: list[tuple[str, str, int]] = []
        """What came of each request: its kind, its track, and how much audio there was of that then."""
        self.audio_at_additions: list[int] = []
        """How much audio of the track "mix" there was when a track was added."""
        self.watches = 0
        self.refused_logins = 0
        """So many logins have to wait a moment."""
        self.limits = live_pb2.LiveLimits(chunk_bytes=32_000, tracks=8, duration_s=3600, grace_s=30)

    async def start(self) -> tuple[aio.Server, int]:
        # Tests probe their connections more often than a server with defaults would bear.
        server = aio.server(options=[("grpc.http2.min_ping_interval_without_data_ms", 10)])
        live_pb2_grpc.add_LiveServiceServicer_to_server(self, server)
        auth_pb2_grpc.add_AuthServiceServicer_to_server(self, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    @property
    def only(self) -> Session:
        assert len(self.sessions) == 1
        return next(iter(self.sessions.values()))

    async def ListTokenKeys(  # noqa: N802
        self, request: auth_pb2.ListTokenKeysRequest, context: Any
    ) -> auth_pb2.ListTokenKeysResponse:
        raise NotImplementedError

    async def Logout(self, request: auth_pb2.LogoutRequest, context: Any) -> auth_pb2.LogoutResponse:  # noqa: N802
        raise NotImplementedError

    async def ChangePassword(  # noqa: N802
        self, request: auth_pb2.ChangePasswordRequest, context: Any
    ) -> auth_pb2.ChangePasswordResponse:
        raise NotImplementedError

    async def GetMe(self, request: auth_pb2.GetMeRequest, context: Any) -> auth_pb2.GetMeResponse:  # noqa: N802
        raise NotImplementedError

    async def Login(self, request: auth_pb2.LoginRequest, context: Any) -> auth_pb2.LoginResponse:  # noqa: N802
        if request.password != "right":
            await abort(context, errors.InvalidCredentials())
        if self.refused_logins:
            self.refused_logins -= 1
            await abort(context, errors.TooManyLogins(1))
        token = f"token {len(self.tokens)}"
        self.tokens.add(token)
        return auth_pb2.LoginResponse(token=token)

    async def _authenticate(self, context: Any) -> None:
        if dict(context.invocation_metadata()).get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            await abort(context, errors.Unauthenticated())

    async def StreamMeeting(  # type: ignore[override]  # noqa: N802 - it writes to its context
        self, requests: AsyncIterator[Any], context: Any
    ) -> None:
        self.running_calls += 1
        try:
            await self._stream(requests, context)
        finally:
            self.running_calls -= 1

    async def _stream(self, requests: AsyncIterator[live_pb2.StreamMeetingRequest], context: Any) -> None:
        await self._authenticate(context)
        config = (await anext(requests)).config
        self.configs.append(config)
        mischief = self.mischief.popleft() if self.mischief else Mischief()
        if mischief.refuse is not None:
            await abort(context, mischief.refuse, "no, said the server")
        if mischief.never_ready:
            await context.abort(StatusCode.UNAVAILABLE, "gone before it was ready")
        session_id, session = await self._session(config, context)
        for audio in session.audio.values():
            del audio[len(audio) - mischief.forget_samples * SAMPLE_BYTES :]
        ready = live_pb2.LiveReady(
            session_id=session_id,
            file_hash="f" * 64,
            limits=self.limits,
            tracks=session.positions(),
            finishing=session.finishing,
            last_event_seq=len(session.events),
            track_states=session.tracks.values(),
        )
        await context.write(live_pb2.StreamMeetingResponse(ready=ready))
        session.holder = context
        session.taken = asyncio.Event()
        try:
            await self._serve(session, max(config.after_event_seq - mischief.replay, 0), requests, context, mischief)
        finally:
            if session.holder is context:
                session.holder = None

    async def _session(self, config: live_pb2.LiveConfig, context: Any) -> tuple[str, Session]:
        if not config.session_id:
            session = Session(
                {track.track_id: bytearray() for track in config.tracks},
                {track.track_id: state_of(track) for track in config.tracks},
            )
            session_id = f"session {len(self.sessions) + 1}"
            self.sessions[session_id] = session
            return session_id, session
        if config.session_id not in self.sessions:
            await abort(context, errors.SessionNotFound())
        session = self.sessions[config.session_id]
        if session.holder is not None:
            if not config.take_over:
                await abort(context, errors.HeldByAnotherClient())
            session.taken.set()
        return config.session_id, session

    async def _serve(
        self, session: Session, seen: int, requests: AsyncIterator[Any], context: Any, mischief: Mischief
    ) -> None:
        chunks = 0
        taken, reading = asyncio.ensure_future(session.taken.wait()), asyncio.ensure_future(anext(requests, None))
        try:
            while True:
                while seen < len(session.events):
                    event = session.events[seen]
                    seen += 1
                    await context.write(live_pb2.StreamMeetingResponse(event=event))
                    if event.HasField("finished"):
                        return
                session.news.clear()
                news = asyncio.ensure_future(session.news.wait())
                await asyncio.wait({taken, reading, news}, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                if taken.done():
                    await abort(context, errors.TakenOver())
                if not reading.done():
                    continue
                request = reading.result()
                if request is None:
                    return
                reading = asyncio.ensure_future(anext(requests, None))
                if request.WhichOneof("payload") in CHANGES:
                    if await self._change(session, request, context, mischief):
                        return
                elif request.HasField("audio"):
                    chunks += 1
                    last = chunks == mischief.break_after_chunks
                    await self._store(session, request.audio, context, mischief.store_of_last if last else 1.0)
                    if last:
                        await self._break(context, mischief.break_with)
                        return
                    await self.acknowledging.wait()
                    ack = live_pb2.Ack(tracks=session.positions(), lag_ms=chunks, words_lag_ms=10 * chunks)
                    await context.write(live_pb2.StreamMeetingResponse(ack=ack))
                elif request.control == live_pb2.CONTROL_FLUSH:
                    self.flushes += 1
                else:
                    session.finish()
                    if mischief.break_at_finish:
                        await self._break(context, StatusCode.UNAVAILABLE)
        finally:
            taken.cancel()
            reading.cancel()

    async def _change(self, session: Session, request: Any, context: Any, mischief: Mischief) -> bool:
        """Returns whether the connection ends."""
        kind = request.WhichOneof("payload")
        track_id = getattr(request, kind).track_id
        if kind == "add_track":
            self.audio_at_additions.append(len(session.audio.get("mix", b"")) // SAMPLE_BYTES)
        self.received.append((kind, track_id, len(session.audio.get(track_id, b"")) // SAMPLE_BYTES))
        if mischief.break_at_change:
            if mischief.carry_out:
                session.change(request)
            await self._break(context, StatusCode.UNAVAILABLE)
            return True
        if refusal := session.change(request):
            await abort(context, refusal)
        return False

    async def _break(self, context: Any, error: StatusCode | errors.MeetraError) -> None:
        if error is not StatusCode.OK:
            await abort(context, error, "broken on purpose")

    async def _store(self, session: Session, chunk: live_pb2.AudioChunk, context: Any, part: float) -> None:
        self.chunks.append(chunk)
        audio = session.audio[chunk.track_id]
        if session.finishing:
            await abort(context, errors.MeetingOver())
        if session.tracks[chunk.track_id].ended:
            await abort(context, errors.TrackEnded(chunk.track_id))
        if chunk.first_sample * SAMPLE_BYTES != len(audio):
            await abort(context, errors.AudioGap(chunk.track_id, len(audio) // SAMPLE_BYTES, chunk.first_sample))
        audio += chunk.data[: int(len(chunk.data) // SAMPLE_BYTES * part) * SAMPLE_BYTES]
        session.say(turn=live_pb2.LiveTurn(segment_id=len(session.events), track_id=chunk.track_id))

    async def OpenMeeting(self, request: live_pb2.OpenMeetingRequest, context: Any) -> Any:  # noqa: N802
        await context.abort(StatusCode.UNIMPLEMENTED, "not for this client")

    async def SendAudio(self, request: live_pb2.SendAudioRequest, context: Any) -> Any:  # noqa: N802
        await context.abort(StatusCode.UNIMPLEMENTED, "not for this client")

    async def ControlMeeting(self, request: live_pb2.ControlMeetingRequest, context: Any) -> Any:  # noqa: N802
        await context.abort(StatusCode.UNIMPLEMENTED, "not for this client")

    async def CreateSessionToken(self, request: live_pb2.CreateSessionTokenRequest, context: Any) -> Any:  # noqa: N802
        await context.abort(StatusCode.UNIMPLEMENTED, "not for this client")

    async def ListLiveMeetings(self, request: Any, context: Any) -> live_pb2.ListLiveMeetingsResponse:  # noqa: N802
        return live_pb2.ListLiveMeetingsResponse()

    async def WatchMeeting(  # type: ignore[override]  # noqa: N802 - it writes to its context
        self, request: live_pb2.WatchMeetingRequest, context: Any
    ) -> None:
        await self._authenticate(context)
        self.watches += 1
        if request.session_id not in self.sessions:
            await abort(context, errors.SessionNotFound())
        session = self.sessions[request.session_id]
        for event in session.events[request.after_event_seq :]:
            await context.write(live_pb2.WatchMeetingResponse(event=event))
        # Ends too early unless the meeting is over: who watches has to come back.


def state_of(track: live_pb2.TrackConfig, start_ms: int = 0) -> live_pb2.LiveTrackState:
    """The state of a track that has just come."""
    return live_pb2.LiveTrackState(
        track_id=track.track_id, kind=track.kind, participant_name=track.participant_name, start_ms=start_ms
    )


async def abort(context: Any, error: StatusCode | errors.MeetraError, said: str = "") -> None:
    """Ends a call as our server does, or with a bare status, as proxies do."""
    if isinstance(error, StatusCode):
        await context.abort(error, said)
    else:
        details = (DETAILS_TRAILER, rich_status(error).SerializeToString())
        await context.abort(error.grpc_status, error.message, trailing_metadata=(details,))


class Relay:
    """A network between client and server that can swallow everything without a word."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._whole: set[asyncio.StreamWriter] = set()
        self._pumps: list[asyncio.Task[None]] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def swallow(self) -> None:
        """What goes over the present connections from now on is lost; new ones are whole."""
        self._whole.clear()

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._whole |= {writer, there_writer}
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            self._pumps.append(asyncio.create_task(self._pump(source, sink)))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                if sink in self._whole:
                    sink.write(data)
                    await sink.drain()
        finally:
            sink.transport.abort()

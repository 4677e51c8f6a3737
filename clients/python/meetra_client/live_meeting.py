"""A live meeting as its bot sees it: send audio, iterate events, finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from types import TracebackType

from meetra.v1 import live_pb2

from meetra_client.connection import Endpoint
from meetra_client.credentials import Credentials
from meetra_client.delivery import Delivery, Patience
from meetra_client.errors import LiveMeetingTooLong, MeetingOver, MeetraError
from meetra_client.events import EventFeed, watch
from meetra_client.outbox import Outbox, TrackLog
from meetra_client.tracks import Track, opus_packet_samples

# What is not acknowledged is kept: a minute outlives most of what networks do.
BUFFER_S, BUFFER_BYTES = 60.0, 16 * 1024 * 1024


class LiveMeeting:
    """Made by ``MeetraClient.live`` and ``MeetraClient.resume``; an async context manager.

    ``async with`` returns once the server is ready. A body that ends normally finishes the meeting
    if it has not called ``finish`` or ``leave``; one that raises, or is cancelled, leaves the
    session to the server's grace period, to be resumed.

    Every method raises the typed errors of ``meetra_client.errors`` once the meeting cannot go on;
    lost connections are none of them.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        config: live_pb2.LiveConfig,
        tracks: Iterable[Track],
        patience: Patience,
        buffer_s: float = BUFFER_S,
        buffer_bytes: int = BUFFER_BYTES,
    ) -> None:
        if buffer_s < 1 or buffer_bytes < 1024 * 1024:
            raise ValueError("at least 1 s and 1 MiB of audio must be kept until it is acknowledged")

        def missed(after: int) -> AsyncGenerator[live_pb2.LiveEvent, None]:
            return watch(endpoint, credentials, self.session_id, after, patience.reconnect_s)

        self._outbox = Outbox(tracks, buffer_s, buffer_bytes)
        self._feed = EventFeed(config.after_event_seq, missed)
        self._delivery = Delivery(endpoint, credentials, config, self._outbox, self._feed, patience)
        self._order: dict[str, asyncio.Lock] = {}
        self._running: asyncio.Task[live_pb2.LiveFinished] | None = None
        self._finishing = self._left = False

    async def __aenter__(self) -> LiveMeeting:
        self._running = asyncio.create_task(self._run(), name="live meeting")
        opened = asyncio.create_task(self._delivery.opened.wait())
        try:
            await asyncio.wait({self._running, opened}, return_when=asyncio.FIRST_COMPLETED)
            if not self._delivery.opened.is_set():
                await self._running
        except BaseException:
            await self._stop()
            raise
        finally:
            opened.cancel()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and not (self._finishing or self._left):
                await self.finish()
        finally:
            await self._stop()

    async def _run(self) -> live_pb2.LiveFinished:
        try:
            finished = await self._delivery.run()
        except BaseException as error:
            reason = MeetraError("the meeting was left") if isinstance(error, asyncio.CancelledError) else error
            self._feed.close(reason)
            self._outbox.fail(reason)
            raise
        self._feed.close()
        return finished

    async def _stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            # Its error was raised where somebody waited for it.
            await asyncio.gather(self._running, return_exceptions=True)

    @property
    def ready(self) -> live_pb2.LiveReady:
        """The server's last `ready`: session, limits, what the engine can measure."""
        return self._delivery.ready

    @property
    def session_id(self) -> str:
        """Resume with it, from another process too."""
        return self.ready.session_id

    @property
    def file_hash(self) -> str:
        """Names the meeting in every other call of the API."""
        return self.ready.file_hash

    @property
    def lag_ms(self) -> int:
        """How far the analysis is behind the audio, milliseconds."""
        return self._delivery.lag_ms

    @property
    def connected(self) -> bool:
        """Whether a connection stands at this moment."""
        return self._delivery.connected

    @property
    def reconnects(self) -> int:
        """How often the connection was lost and had again."""
        return max(self._delivery.connections - 1, 0)

    @property
    def last_event_seq(self) -> int:
        """Number of the last event that came."""
        return self._feed.received

    @property
    def repeated_events(self) -> int:
        """How many events came again though they had come: none, as long as the server keeps to its protocol."""
        return self._feed.repeated

    def position(self, track_id: str) -> int:
        """Position of the next sample that ``send`` takes: after a resume, where to go on. Raises ValueError."""
        return self._outbox.log(track_id).end

    def acknowledged(self, track_id: str) -> int:
        """Everything before this position is on the server's disk. Raises ValueError."""
        return self._outbox.log(track_id).acknowledged

    async def send(self, track_id: str, audio: bytes) -> None:
        """Takes the next audio of a track; it is sent, and sent again where need be, from then on.

        Waits while as much audio as is kept is not yet acknowledged. Cancelled in between, it may have taken
        a part: ``position`` says.

        Args:
            track_id: a track of the meeting.
            audio: any number of whole samples in the track's encoding; of OPUS one packet.

        Raises ValueError for another track or a part of a sample, LiveMeetingTooLong for audio beyond the
        longest meeting (``ready.limits.duration_s``; the meeting can still be finished), MeetingOver, MeetraError.
        """
        outbox_log = self._outbox.log(track_id)
        unit = outbox_log.track.unit_bytes
        samples = len(audio) // unit if unit else opus_packet_samples(audio)
        if unit and len(audio) % unit:
            raise ValueError(f"{len(audio)} bytes are not a whole number of samples of {unit} bytes")
        if self._finishing:
            raise MeetingOver("finish was called: the meeting takes no more audio")
        async with self._order.setdefault(track_id, asyncio.Lock()):
            self._within_limits(outbox_log, samples)
            if not unit:
                await self._outbox.until_room(outbox_log, len(audio))
                self._outbox.append(outbox_log, audio)
            rest = memoryview(audio) if unit else memoryview(b"")
            while rest:
                room = await self._outbox.until_room(outbox_log, unit)
                piece = rest[: room // unit * unit]
                self._outbox.append(outbox_log, bytes(piece))
                rest = rest[len(piece) :]

    def _within_limits(self, track_log: TrackLog, samples: int) -> None:
        longest_s, rate = self.ready.limits.duration_s, track_log.track.rate_hz
        if not longest_s or rate is None:
            return
        if track_log.track.start_ms / 1e3 + (track_log.end + samples) / rate > longest_s:
            raise LiveMeetingTooLong(
                f"the longest meeting that this server takes is {longest_s} s", facts={"limit_s": str(longest_s)}
            )

    async def flush(self) -> None:
        """Asks the server to acknowledge and analyse now what was sent so far. Raises MeetraError."""
        if self._running is not None and self._running.done():
            await self._outcome()
        self._delivery.ask(flush=True)

    def events(self) -> AsyncGenerator[live_pb2.LiveEvent, None]:
        """Every event in the order of `event_seq`, each once, until `finished`.

        Begun again after a ``break`` it goes on after the last one. Raises RuntimeError for a second
        reader at a time, and MeetraError.
        """
        return self._feed.read()

    async def finish(self) -> live_pb2.LiveFinished:
        """Ends the meeting after all audio so far; returns when it is ready, or failed (`status` says).

        Raises MeetingOver when audio came too late for a meeting that others, or its grace period, finished
        (``undelivered`` says how much; events end as usual), and MeetraError.
        """
        self._finishing = True
        for sending in self._order.values():
            # What is being handed over belongs to the meeting.
            async with sending:
                pass
        self._delivery.ask(finish=True)
        finished = await self._outcome()
        if self._delivery.over is not None and self._delivery.over.undelivered:
            raise self._delivery.over
        return finished

    async def leave(self) -> None:
        """Waits until all audio is acknowledged, then leaves the session open for somebody else to resume.

        Raises MeetraError when not all of it could be delivered.
        """
        await self._outbox.until_acknowledged()
        self._left = True
        await self._stop()

    def drop_connection(self, *, silently: bool = False) -> None:
        """Cuts the connection, as bad networks do, to rehearse that; the client comes back by itself.

        ``silently``: the server is not told, and believes the old connection stands until the new one takes over.
        """
        self._delivery.drop(silently=silently)

    async def _outcome(self) -> live_pb2.LiveFinished:
        assert self._running is not None, "used outside of `async with`"
        try:
            # Who gives up waiting does not give up the meeting.
            return await asyncio.shield(self._running)
        except asyncio.CancelledError:
            if self._running.cancelled():
                raise MeetraError("the meeting was left") from None
            raise

"""A live meeting from the sender's side: send audio, iterate over events, finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from types import TracebackType

from meetra.v1 import live_pb2

from meetra_client.connection import Endpoint
from meetra_client.credentials import Credentials
from meetra_client.delivery import Delivery, Patience
from meetra_client.errors import LiveMeetingTooLong, MeetingOver, MeetraError
from meetra_client.event_messages import event_from, track_state_from
from meetra_client.event_values import Event, Finished, TrackState
from meetra_client.events import EventFeed, watch
from meetra_client.outbox import Outbox
from meetra_client.track_buffers import TrackBuffer
from meetra_client.track_changes import track_ended
from meetra_client.tracks import Track, opus_packet_samples

# Buffer of unacknowledged audio: one minute outlasts most network failures.
BUFFER_S, BUFFER_BYTES = 60.0, 16 * 1024 * 1024


class LiveMeeting:
    """A live meeting; an async context manager, created by ``MeetraClient.live`` and ``MeetraClient.resume``.

    Entering it waits until the server is ready. A body that ends normally finishes the meeting, unless it called
    ``finish`` or ``leave``. A body that raises or is cancelled leaves the session open for the server's grace period,
    to be resumed.

    Every method raises the typed errors of ``meetra_client.errors`` once the meeting cannot continue; lost connections
    are handled internally.
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
            raise ValueError("buffer_s must be at least 1 and buffer_bytes at least 1 MiB")

        def fetch_missed(after: int) -> AsyncGenerator[live_pb2.LiveEvent, None]:
            request = live_pb2.WatchMeetingRequest(session_id=self.session_id, after_event_seq=after)
            return watch(endpoint, credentials, request, patience.reconnect_s)

        self._outbox = Outbox(tracks, buffer_s, buffer_bytes)
        self._feed = EventFeed(config.after_event_seq, fetch_missed)
        self._delivery = Delivery(endpoint, credentials, config, self._outbox, self._feed, patience)
        self._send_locks: dict[str, asyncio.Lock] = {}
        self._running: asyncio.Task[live_pb2.LiveEvent] | None = None
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

    async def _run(self) -> live_pb2.LiveEvent:
        try:
            finished = await self._delivery.run()
        except BaseException as error:
            reason = MeetraError("the meeting was left") if isinstance(error, asyncio.CancelledError) else error
            self._feed.close(reason)
            self._outbox.fail(reason)
            self._delivery.changes.fail(reason)
            raise
        self._feed.close()
        return finished

    async def _stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            # Its error is raised by the awaiting methods.
            await asyncio.gather(self._running, return_exceptions=True)

    @property
    def ready(self) -> live_pb2.LiveReady:
        """The server's latest `ready`: session, limits, engine capabilities."""
        return self._delivery.ready

    @property
    def session_id(self) -> str:
        """Id to resume the session with, also from another process."""
        return self.ready.session_id

    @property
    def file_hash(self) -> str:
        """Id of the meeting in all other API calls."""
        return self.ready.file_hash

    @property
    def lag_ms(self) -> int:
        """How far the turns, that is who speaks, are behind the durable audio, milliseconds."""
        return self._delivery.lag_ms

    @property
    def words_lag_ms(self) -> int:
        """How far the words are behind the durable audio, milliseconds; some seconds are normal."""
        return self._delivery.words_lag_ms

    @property
    def connected(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._delivery.connected

    @property
    def reconnects(self) -> int:
        """Number of reconnections."""
        return max(self._delivery.connections - 1, 0)

    @property
    def last_event_seq(self) -> int:
        """Number of the last event received."""
        return self._feed.received

    @property
    def repeated_events(self) -> int:
        """Number of duplicate events received; 0 unless the server violates its protocol."""
        return self._feed.repeated

    def position(self, track_id: str) -> int:
        """Return the position of the next sample to ``send``; after a resume, where to continue. Raises ValueError."""
        return self._outbox.buffer(track_id).end

    def acknowledged(self, track_id: str) -> int:
        """Return the position up to which audio is on the server's disk. Raises ValueError."""
        return self._outbox.buffer(track_id).acknowledged

    async def send(self, track_id: str, audio: bytes, *, captured_ms: int | None = None) -> None:
        """Queue the next audio of a track for delivery, including resends.

        Waits while the buffer of unacknowledged audio is full. If cancelled, a part may be queued: check ``position``.

        Args:
            track_id: a track of the meeting.
            audio: whole samples in the track's encoding; for OPUS exactly one packet.
            captured_ms: when the first sample was captured, milliseconds from the start of the meeting. Where nothing
                was recorded before, as while muted, the server fills in silence; a clock that drifts is corrected. Not
                for OGG_OPUS and WEBM_OPUS.

        Raises ValueError for an unknown track, a partial sample or an impossible time, TrackEnded, LiveMeetingTooLong
        for audio beyond the maximum length (``ready.limits.duration_s``; the meeting can still be finished),
        MeetingOver, MeetraError.
        """
        buffer = self._outbox.buffer(track_id)
        unit_bytes = buffer.track.unit_bytes
        samples = len(audio) // unit_bytes if unit_bytes else opus_packet_samples(audio)
        if unit_bytes and len(audio) % unit_bytes:
            raise ValueError(f"{len(audio)} bytes are not a whole number of samples of {unit_bytes} bytes")
        if captured_ms is not None and not 0 <= captured_ms < 2**32:
            raise ValueError(f"captured_ms is {captured_ms}; it must be 0 to {2**32 - 1} milliseconds of the meeting")
        self._check_not_finishing()
        async with self._send_lock(track_id):
            if buffer.ended:
                raise buffer.failure or track_ended(track_id)
            self._check_duration(buffer, samples)
            if not unit_bytes:
                await self._outbox.wait_for_room(buffer, len(audio))
                self._outbox.append(buffer, audio, captured_ms)
            remaining = memoryview(audio) if unit_bytes else memoryview(b"")
            while remaining:
                room = await self._outbox.wait_for_room(buffer, unit_bytes)
                chunk = remaining[: room // unit_bytes * unit_bytes]
                self._outbox.append(buffer, bytes(chunk), captured_ms)
                captured_ms = None
                remaining = remaining[len(chunk) :]

    async def add_track(self, track: Track) -> TrackState:
        """Add a track: somebody joins. ``send`` takes its audio at once, also while this waits for the server.

        Without ``start_ms`` it begins now; the returned state tells when. A track that the session has is taken up.
        If cancelled, it is added nevertheless; changes of tracks are repeated over lost connections.

        Raises BadRequest, TooManyTracks, TooManyLiveMeetings, TrackDiffers or TrackEnded, each of which leaves the
        meeting as it was, MeetingOver, MeetraError.
        """
        self._check_not_finishing()
        return track_state_from(await self._delivery.changes.add(track))

    async def end_track(self, track_id: str) -> None:
        """End a track after all its audio so far: somebody leaves. ``send`` raises TrackEnded for it from then on.

        Returns once the server has ended it. Raises ValueError for an unknown track, MeetingOver, MeetraError.
        """
        self._check_not_finishing()
        # Audio in a concurrent ``send`` belongs to the track.
        async with self._send_lock(track_id):
            ended = self._delivery.changes.end(track_id)
        await ended

    async def rename_track(self, track_id: str, name: str, channel: int = 0) -> None:
        """Rename who is on a track, or on a separate channel of it, 1, 2, ...; the last name wins.

        Returns once the server tells the name, or after 10 s: it tells none where names are redacted. Raises
        ValueError for an unknown track or channel, TooManyRenames, MeetingOver, MeetraError.
        """
        self._check_not_finishing()
        await self._delivery.changes.rename(track_id, name, channel)

    def _send_lock(self, track_id: str) -> asyncio.Lock:
        return self._send_locks.setdefault(track_id, asyncio.Lock())

    def _check_not_finishing(self) -> None:
        if self._finishing:
            raise MeetingOver("finish was called: the meeting accepts no more audio and no changes of tracks")

    def _check_duration(self, buffer: TrackBuffer, samples: int) -> None:
        limit_s = self.ready.limits.duration_s
        if limit_s and buffer.end_s(samples) > limit_s:
            text = f"the meeting exceeds this server's limit of {limit_s} s"
            raise LiveMeetingTooLong(text, facts={"limit_s": str(limit_s)})

    async def flush(self) -> None:
        """Ask the server to acknowledge and analyse the audio sent so far now. Raises MeetraError."""
        if self._running is not None and self._running.done():
            await self._outcome()
        self._delivery.request(flush=True)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield all events in order of ``event_seq``, each once, until Finished.

        A new iteration after a ``break`` continues after the last event. Raises RuntimeError for a concurrent second
        reader, and MeetraError.
        """
        async with aclosing(self._feed.read()) as events:
            async for event in events:
                yield event_from(event)

    async def finish(self) -> Finished:
        """End the meeting after all audio so far, and return its outcome once it is ready or failed (see `status`).

        Raises MeetingOver if audio came too late because the meeting was already finished by another client or its
        grace period (``undelivered`` has the amounts; events end as usual), and MeetraError.
        """
        self._finishing = True
        for lock in list(self._send_locks.values()):
            # Audio in a concurrent ``send`` belongs to the meeting.
            async with lock:
                pass
        self._delivery.request(finish=True)
        finished = await self._outcome()
        if self._delivery.over is not None and self._delivery.over.undelivered:
            raise self._delivery.over
        event = event_from(finished)
        assert isinstance(event, Finished)
        return event

    async def leave(self) -> None:
        """Wait until all audio is acknowledged, then leave the session open to be resumed.

        Raises MeetraError if not all of it could be delivered.
        """
        await self._outbox.wait_until_acknowledged()
        await self._delivery.changes.wait_until_settled()
        self._left = True
        await self._stop()

    def drop_connection(self, *, silently: bool = False) -> None:
        """Drop the connection to simulate a network failure; the client reconnects.

        Args:
            silently: leave the server unaware, so that the old connection lasts until the new one takes over.
        """
        self._delivery.drop(silently=silently)

    async def _outcome(self) -> live_pb2.LiveEvent:
        assert self._running is not None, "use the meeting inside `async with`"
        try:
            # Cancelling the wait must not cancel the meeting.
            return await asyncio.shield(self._running)
        except asyncio.CancelledError:
            if self._running.cancelled():
                raise MeetraError("the meeting was left") from None
            raise

"""The connection loop of one live meeting: sends audio, receives acknowledgements and events, reconnects."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from meetra.v1 import live_pb2

from meetra_client.connection import Connection, Endpoint
from meetra_client.credentials import Credentials
from meetra_client.errors import (
    ConnectionLost,
    MeetingOver,
    MeetraError,
    StorageFull,
    TooManyLiveMeetings,
    TooManyLogins,
    TooManyOpenCalls,
    Unauthenticated,
)
from meetra_client.events import EventFeed
from meetra_client.outbox import Outbox
from meetra_client.reconnect import Backoff
from meetra_client.refusals import late_audio_error
from meetra_client.track_changes import TrackChanges

log = logging.getLogger("meetra_client")
# Small enough to interleave tracks and to limit resending.
MAX_CHUNK_BYTES = 64 * 1024
# A connection that lasted this long was useful, even without traffic.
HEALTHY_AFTER_S = 10.0


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long to tolerate failures, seconds."""

    open_s: float = 30.0
    """Consecutive failures before the meeting is open."""
    reconnect_s: float = 600.0
    """Consecutive failures after that."""
    stall_s: float = 60.0
    """Time without an answer to sent audio after which a connection is abandoned."""
    call_s: float = 60.0
    """Consecutive failures of a single call that only reads."""


class Delivery:
    """Deliver one meeting to the server, over as many connections as needed. Call ``run`` once."""

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        config: live_pb2.LiveConfig,
        outbox: Outbox,
        feed: EventFeed,
        patience: Patience,
    ) -> None:
        self._endpoint, self._credentials, self._config = endpoint, credentials, config
        self._outbox, self._feed, self._patience = outbox, feed, patience
        self.changes = TrackChanges(outbox, self._position)
        self._connection: Connection | None = None
        self._abandoned: list[Connection] = []
        self._backoff = Backoff(patience.open_s)
        self._token_renewed = False
        self._last_message_at = 0.0
        self._flush = self._audio_over = self._finish_sent = False
        self.finish_requested = False
        self.opened = asyncio.Event()
        self.ready = live_pb2.LiveReady()
        self.connected = False
        self.connections = 0
        self.lag_ms = self.words_lag_ms = 0
        self.over: MeetingOver | None = None

    def request(self, *, flush: bool = False, finish: bool = False) -> None:
        """Request a flush or the end of the meeting, sent after all audio so far."""
        self._flush = self._flush or flush
        self.finish_requested = self.finish_requested or finish
        self._outbox.work.set()

    def _position(self, track_id: str) -> int:
        return next((track.next_sample for track in self.ready.tracks if track.track_id == track_id), 0)

    def drop(self, *, silently: bool) -> None:
        """Abandon the connection; a new one follows."""
        if self._connection is not None and self.connected:
            # Not the network's fault, so reconnect without backoff.
            self._backoff.reset()
            self._connection.silently = silently
            self._connection.cut.set()

    async def run(self) -> live_pb2.LiveEvent:
        """Run until the meeting is finished and return `finished`. Raises MeetraError when it cannot continue."""
        try:
            while True:
                try:
                    return await self._connect_and_serve()
                except ConnectionLost as lost:
                    log.info("connection lost: %s", lost)
                    await self._backoff.wait(lost)
                except Unauthenticated:
                    if self._token_renewed or not self._credentials.can_renew:
                        raise
                    self._token_renewed = True
                    self._credentials.expire()
                except (TooManyLiveMeetings, TooManyLogins, TooManyOpenCalls, StorageFull) as full:
                    # An open meeting does not compete with new ones: the server restarted, or still counts connections
                    # that broke, and will have capacity soon. A token that expired may be renewed beside failed logins.
                    if not self.connections:
                        raise
                    await self._backoff.wait(ConnectionLost(str(full), full))
                except MeetingOver as over:
                    # Audio was sent after the end; the remaining events are still wanted.
                    if self._audio_over:
                        raise
                    self._stop_audio(over)
        finally:
            await self._close_abandoned()

    async def _connect_and_serve(self) -> live_pb2.LiveEvent:
        connection = Connection(self._endpoint, await self._credentials.token())
        self._config.after_event_seq = self._feed.received
        try:
            self._on_ready(await connection.open(self._config), connection)
            await self._close_abandoned()
            ready_at = time.monotonic()
            try:
                return await self._serve(connection)
            except MeetraError as error:
                if not self.changes.refused(error):
                    raise
                # Not the network's fault either; the rest of the meeting goes on.
                self._backoff.reset()
                raise ConnectionLost(str(error)) from None
            finally:
                if time.monotonic() - ready_at > HEALTHY_AFTER_S:
                    self._backoff.reset()
        finally:
            self.connected = False
            self._connection = None
            if connection.silently:
                self._abandoned.append(connection)
            else:
                await connection.close()

    def _on_ready(self, ready: live_pb2.LiveReady, connection: Connection) -> None:
        if self.connections:
            self._outbox.rewind(ready.tracks)
        else:
            self._outbox.begin(ready.tracks)
        self.changes.connected(ready)
        if ready.finishing:
            self._audio_over = True
            undelivered = self._outbox.undelivered
            if undelivered or not self.finish_requested:
                self._stop_audio(late_audio_error(ready.limits, undelivered))
        self.ready, self._connection = ready, connection
        self.connected, self._token_renewed = True, False
        self.connections += 1
        # From now on the session is ours: any other holder is a dead connection of our own.
        self._config = live_pb2.LiveConfig(session_id=ready.session_id, take_over=True)
        if self.connections == 1:
            self._backoff.reset(self._patience.reconnect_s)
        self._last_message_at = time.monotonic()
        self.opened.set()

    def _stop_audio(self, over: MeetingOver) -> None:
        self._audio_over, self.over = True, over
        self._outbox.fail(over)
        self.changes.fail(over)

    async def _serve(self, connection: Connection) -> live_pb2.LiveEvent:
        self._finish_sent = False
        finished = await _first_completed(
            self._receive(connection), self._transmit(connection), self._detect_stall(), self._cut(connection)
        )
        if not connection.silently:
            await connection.wait_for_end()
        return finished

    async def _receive(self, connection: Connection) -> live_pb2.LiveEvent:
        while True:
            message = await connection.read()
            self._last_message_at = time.monotonic()
            if message.HasField("ack"):
                self._outbox.acknowledge(message.ack.tracks)
                self.lag_ms, self.words_lag_ms = message.ack.lag_ms, message.ack.words_lag_ms
                self._backoff.reset()
            elif message.HasField("event") and self._feed.add(message.event):
                self._backoff.reset()
                # Of earlier events `ready` has the outcome.
                if message.event.HasField("track") and message.event.event_seq > self.ready.last_event_seq:
                    self.changes.told(message.event.track)
                if message.event.HasField("finished"):
                    self._note_late_audio()
                    self.changes.finish()
                    return message.event

    def _note_late_audio(self) -> None:
        # FINISH follows all audio, so if we sent it, no audio was late.
        undelivered = {} if self._finish_sent else self._outbox.undelivered
        if undelivered or not self.finish_requested:
            self._stop_audio(late_audio_error(self.ready.limits, undelivered))

    async def _transmit(self, connection: Connection) -> live_pb2.LiveEvent:
        max_bytes = min(self.ready.limits.chunk_bytes or MAX_CHUNK_BYTES, MAX_CHUNK_BYTES)
        try:
            while True:
                self._outbox.work.clear()
                if (message := self._next_message(max_bytes)) is None:
                    await self._outbox.work.wait()
                else:
                    await connection.write(message)
        except ConnectionLost:
            # The reader gets the reason, after the server's last messages.
            return await _never()

    def _next_message(self, max_bytes: int) -> live_pb2.StreamMeetingRequest | None:
        if not self._audio_over:
            if self.changes.holds_back:
                return None
            if not self._awaiting:
                # No answer was due until now.
                self._last_message_at = time.monotonic()
            if (change := self.changes.next_message()) is not None:
                return change
            if (chunk := self._outbox.next_chunk(max_bytes, self.changes.limits)) is not None:
                return live_pb2.StreamMeetingRequest(audio=chunk)
        if self._flush:
            self._flush = False
            return live_pb2.StreamMeetingRequest(control=live_pb2.CONTROL_FLUSH)
        if self.changes.unsent and not self._audio_over:
            return None
        if self.finish_requested and not self._finish_sent and not self.ready.finishing:
            self._finish_sent = True
            return live_pb2.StreamMeetingRequest(control=live_pb2.CONTROL_FINISH)
        return None

    @property
    def _awaiting(self) -> bool:
        """Whether the server owes an answer."""
        return self._outbox.awaiting or self.changes.awaiting

    async def _detect_stall(self) -> live_pb2.LiveEvent:
        while True:
            await asyncio.sleep(self._patience.stall_s / 4)
            silence_s = time.monotonic() - self._last_message_at
            if self._awaiting and silence_s > self._patience.stall_s:
                raise ConnectionLost(f"no response for {silence_s:.0f} s")

    async def _cut(self, connection: Connection) -> live_pb2.LiveEvent:
        await connection.cut.wait()
        raise ConnectionLost("dropped on purpose")

    async def _close_abandoned(self) -> None:
        while self._abandoned:
            await self._abandoned.pop().close()


async def _never() -> live_pb2.LiveEvent:
    await asyncio.Event().wait()
    raise AssertionError


async def _first_completed(*operations: Coroutine[Any, Any, live_pb2.LiveEvent]) -> live_pb2.LiveEvent:
    """Return or raise the outcome of the first to end, after cancelling the others and waiting for them."""
    tasks = [asyncio.create_task(work) for work in operations]
    try:
        completed, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return next(task for task in tasks if task in completed).result()

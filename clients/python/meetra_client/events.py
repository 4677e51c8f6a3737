"""Delivery of a meeting's events to an iterator: in order, each once, in bounded memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from grpc import aio
from meetra.v1 import live_pb2, live_pb2_grpc

from meetra_client.connection import Endpoint, call_metadata
from meetra_client.credentials import Credentials
from meetra_client.errors import ConnectionLost, TooManyLogins, TooManyOpenCalls, Unauthenticated
from meetra_client.reconnect import Backoff
from meetra_client.refusals import classify_failure

MAX_BUFFERED_EVENTS = 4096
Watch = Callable[[int], AsyncGenerator[live_pb2.LiveEvent, None]]


class EventFeed:
    """Pass events from a connection to one reader.

    The server stores all events, so a slow or missing reader costs no memory: beyond ``max_events`` they are dropped
    here and fetched from the server when they are read.

    Args:
        seen: number of the last event already seen.
        watch: fetches the events after a number.
        max_events: maximum number of buffered events.
    """

    def __init__(self, seen: int, watch: Watch, max_events: int = MAX_BUFFERED_EVENTS) -> None:
        self.received = self._delivered = seen
        self.repeated = 0
        self._watch, self._max_events = watch, max_events
        self._buffer: deque[live_pb2.LiveEvent] = deque()
        self._behind = False
        self._changed = asyncio.Event()
        self._end: BaseException | None = None
        self._ended = self._read = False

    def add(self, event: live_pb2.LiveEvent) -> bool:
        """Add an event; return False if it is a duplicate."""
        if event.event_seq <= self.received:
            self.repeated += 1
            return False
        self.received = event.event_seq
        if len(self._buffer) >= self._max_events:
            self._behind = True
        if not self._behind:
            self._buffer.append(event)
        self._changed.set()
        return True

    def close(self, error: BaseException | None = None) -> None:
        """End the iteration after the last event, with ``error`` if given."""
        self._ended, self._end = True, error
        self._changed.set()

    async def read(self) -> AsyncGenerator[live_pb2.LiveEvent, None]:
        """Yield all events after the last one read. Raises RuntimeError for a concurrent second reader."""
        if self._read:
            raise RuntimeError("this meeting's events are already being iterated over")
        self._read = True
        try:
            while True:
                while self._buffer:
                    event = self._buffer.popleft()
                    self._delivered = event.event_seq
                    yield event
                if self._end is not None:
                    raise self._end
                if self._behind:
                    async with aclosing(self._watch(self._delivered)) as stored:
                        async for event in stored:
                            self._delivered = event.event_seq
                            yield event
                            if self._delivered >= self.received:
                                break
                    self._behind = False
                elif self._ended:
                    return
                else:
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            self._read = False


async def watch(
    endpoint: Endpoint, credentials: Credentials, request: live_pb2.WatchMeetingRequest, patience_s: float
) -> AsyncGenerator[live_pb2.LiveEvent, None]:
    """Yield the events of a meeting until `finished`, reconnecting as needed.

    Args:
        request: the meeting, and the last event seen.
        patience_s: how long to tolerate consecutive failures, seconds.

    Raises MeetraError.
    """
    seen, backoff, renewed = request.after_event_seq, Backoff(patience_s), False
    while True:
        try:
            token = await credentials.token()
            async with endpoint.channel() as channel:
                stub = live_pb2_grpc.LiveServiceStub(channel)
                # The last event once more: where it is the last of all, nothing else would tell the end.
                following = live_pb2.WatchMeetingRequest(
                    session_id=request.session_id, file_hash=request.file_hash, after_event_seq=max(0, seen - 1)
                )
                call = stub.WatchMeeting(following, metadata=call_metadata(token, request.session_id))
                try:
                    async for message in call:
                        backoff.reset()
                        renewed = False
                        if message.event.event_seq > seen:
                            seen = message.event.event_seq
                            yield message.event
                        if message.event.HasField("finished"):
                            return
                    raise ConnectionLost("the stream ended before the meeting did")
                except aio.AioRpcError as error:
                    raise classify_failure(error) from None
                finally:
                    call.cancel()
        except Unauthenticated:
            if renewed or not credentials.can_renew:
                raise
            renewed = True
            credentials.expire()
        except (TooManyLogins, TooManyOpenCalls) as full:
            # As in a meeting: who watches already waits.
            if seen == request.after_event_seq:
                raise
            await backoff.wait(ConnectionLost(str(full), full))
        except ConnectionLost as lost:
            await backoff.wait(lost)

"""The events of a meeting on their way to who iterates: in order, each once, in bounded memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from grpc import aio
from meetra.v1 import live_pb2, live_pb2_grpc

from meetra_client.connection import Endpoint
from meetra_client.credentials import Credentials
from meetra_client.errors import ConnectionLost, Unauthenticated
from meetra_client.reconnect import Backoff
from meetra_client.refusals import outcome

MAX_EVENTS_KEPT = 4096
Watch = Callable[[int], AsyncGenerator[live_pb2.LiveEvent, None]]


class EventFeed:
    """Takes events from a connection, gives them to one reader.

    Events are kept by the server. Who reads too slowly, or not at all, costs no memory: beyond
    ``most`` they are let go here, and fetched from the server once they are asked for.

    Args:
        seen: number of the last event that is not wanted again.
        watch: fetches the events after a number.
        most: how many events are kept here.
    """

    def __init__(self, seen: int, watch: Watch, most: int = MAX_EVENTS_KEPT) -> None:
        self.received = self._delivered = seen
        self.repeated = 0
        self._watch, self._most = watch, most
        self._kept: deque[live_pb2.LiveEvent] = deque()
        self._behind = False
        self._came = asyncio.Event()
        self._end: BaseException | None = None
        self._ended = self._read = False

    def put(self, event: live_pb2.LiveEvent) -> bool:
        """Takes an event in; False when it came before."""
        if event.event_seq <= self.received:
            self.repeated += 1
            return False
        self.received = event.event_seq
        if len(self._kept) >= self._most:
            self._behind = True
        if not self._behind:
            self._kept.append(event)
        self._came.set()
        return True

    def close(self, error: BaseException | None = None) -> None:
        """No more events come: iteration ends after the last, with ``error`` if there is one."""
        self._ended, self._end = True, error
        self._came.set()

    async def read(self) -> AsyncGenerator[live_pb2.LiveEvent, None]:
        """Every event after the last one read. Raises RuntimeError for a second reader at a time."""
        if self._read:
            raise RuntimeError("somebody iterates over this meeting's events already")
        self._read = True
        try:
            while True:
                while self._kept:
                    event = self._kept.popleft()
                    self._delivered = event.event_seq
                    yield event
                if self._end is not None:
                    raise self._end
                if self._behind:
                    async with aclosing(self._watch(self._delivered)) as missed:
                        async for event in missed:
                            self._delivered = event.event_seq
                            yield event
                            if self._delivered >= self.received:
                                break
                    self._behind = False
                elif self._ended:
                    return
                else:
                    self._came.clear()
                    await self._came.wait()
        finally:
            self._read = False


async def watch(
    endpoint: Endpoint, credentials: Credentials, session_id: str, after_event_seq: int, patience_s: float
) -> AsyncGenerator[live_pb2.LiveEvent, None]:
    """The events after ``after_event_seq`` and those to come until `finished`; comes back when the connection is lost.

    Raises MeetraError.
    """
    seen, backoff, renewed = after_event_seq, Backoff(patience_s), False
    while True:
        try:
            token = await credentials.token()
            async with endpoint.channel() as channel:
                stub = live_pb2_grpc.LiveServiceStub(channel)
                request = live_pb2.WatchMeetingRequest(session_id=session_id, after_event_seq=seen)
                call = stub.WatchMeeting(request, metadata=(("authorization", f"Bearer {token}"),))
                try:
                    async for message in call:
                        backoff.progressed()
                        renewed = False
                        if message.event.event_seq <= seen:
                            continue
                        seen = message.event.event_seq
                        yield message.event
                        if message.event.HasField("finished"):
                            return
                    raise ConnectionLost("the stream ended before the meeting did")
                except aio.AioRpcError as error:
                    raise outcome(error) from None
                finally:
                    call.cancel()
        except Unauthenticated:
            if renewed or not credentials.can_renew:
                raise
            renewed = True
            credentials.expire()
        except ConnectionLost as lost:
            await backoff.wait(lost)

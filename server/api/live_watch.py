"""The stream of events to one watcher of a live meeting, at the watcher's pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from meetra.v1 import live_pb2 as pb

from server.live import FollowedMeeting, LiveSession, LiveState

# Seconds without an event after which a watcher receives a sign of life.
HEARTBEAT_S = 15.0


async def watch_events(
    meeting: LiveSession | FollowedMeeting, after_event_seq: int
) -> AsyncGenerator[pb.WatchMeetingResponse, None]:
    """Yield the events after ``after_event_seq`` until the last, and signs of life where nothing happens.

    Nothing is queued for the watcher: each batch is read once the one before was taken. Raises the error that ends the
    connection.
    """
    events, last_seq, wake = meeting.events, after_event_seq, asyncio.Event()
    events.listen(wake)
    # Gateways hand on an answer with its first message: a watcher hears at once that it is connected.
    silent = last_seq >= events.last_seq
    try:
        while True:
            wake.clear()
            if meeting.lost:
                raise meeting.failure
            while batch := await events.after(last_seq):
                for event in batch:
                    yield pb.WatchMeetingResponse(event=event)
                last_seq = batch[-1].event_seq
            if meeting.state is LiveState.CONCLUDED and last_seq >= events.last_seq:
                return
            if silent or not await _woken(wake):
                yield pb.WatchMeetingResponse(heartbeat=pb.Heartbeat(last_event_seq=last_seq))
            silent = False
    finally:
        events.forget(wake)


async def _woken(wake: asyncio.Event) -> bool:
    """Wait until something has happened; return False if nothing has for ``HEARTBEAT_S``."""
    with suppress(TimeoutError):
        async with asyncio.timeout(HEARTBEAT_S):
            return await wake.wait()
    return False

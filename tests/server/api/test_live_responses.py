"""What a client that sends hears, when a request is refused while its answers are being read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from meetra.v1 import live_pb2 as pb

from server.api.live import ResponseStream
from server.errors import BadRequest
from server.live import LiveState


class SlowEvents:
    """An event log that is read for as long as it takes until a request was refused."""

    last_seq = 0

    def __init__(self, refused: asyncio.Event) -> None:
        self._refused = refused

    def listen(self, wake: asyncio.Event) -> None:
        pass

    def forget(self, wake: asyncio.Event) -> None:
        pass

    async def after(self, event_seq: int) -> list[pb.LiveEvent]:
        await self._refused.wait()
        # The task that read the request ends meanwhile.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return []


class Audio:
    """No tracks, and no audio."""

    logs: tuple[Any, ...] = ()
    ended = False

    async def wait_for_commit(self, acknowledged: list[int]) -> None:
        await asyncio.Event().wait()


async def test_a_refusal_is_told_also_where_events_were_read_meanwhile() -> None:
    refused = asyncio.Event()

    async def requests() -> AsyncIterator[pb.StreamMeetingRequest]:
        refused.set()
        yield pb.StreamMeetingRequest()

    meeting = SimpleNamespace(
        audio=Audio(), events=SlowEvents(refused), state=LiveState.OPEN, finishing=False, lost=False
    )
    connection = SimpleNamespace(wake=asyncio.Event(), failure=None)
    stream = ResponseStream(cast(Any, meeting), cast(Any, connection), 0)
    with pytest.raises(BadRequest, match="payload"):
        _ = [response async for response in stream.responses(requests())]

"""A WebSocket with much to read or write leaves the event loop to others, over a real connection."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from meetra.v1 import live_pb2 as pb
from websockets.asyncio.client import connect

from cli.free_port import free_port
from server.api import live_socket, socket_frames
from server.api.live_socket import PATH, LiveSocket

PATIENCE_S = 300
SHORT = pb.LiveTurn(segment_id=1, alias="Ben")
LONG = pb.LiveTurn(segment_id=1, words=[pb.LiveWord(text="word", start_ms=1000 * n) for n in range(500)])


@pytest.mark.parametrize("turn", [SHORT, LONG], ids=["short", "long"])
async def test_others_have_their_turn_between_two_stored_events(turn: pb.LiveTurn) -> None:
    rounds, seen = 0, []

    async def others() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    async def replay(
        requests: AsyncIterator[pb.StreamMeetingRequest], context: Any
    ) -> AsyncGenerator[pb.StreamMeetingResponse, None]:
        await anext(requests)
        for number in range(100):
            seen.append(rounds)
            yield pb.StreamMeetingResponse(event=pb.LiveEvent(event_seq=number + 1, turn=turn))

    heard = await talk(replay, '{"config":{}}', others())
    assert [json.loads(text)["event"]["event_seq"] for text in heard] == list(range(1, 101))
    assert all(after > before for before, after in pairwise(seen)), seen


async def test_what_takes_long_is_read_and_written_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[tuple[str, bool]] = []

    def noted(name: str) -> None:
        original = getattr(socket_frames, name)

        def function(argument: Any) -> Any:
            threads.append((name, threading.current_thread() is threading.main_thread()))
            return original(argument)

        monkeypatch.setattr(live_socket, name, function)

    noted("read_frame")
    noted("write_frame")

    async def answer(
        requests: AsyncIterator[pb.StreamMeetingRequest], context: Any
    ) -> AsyncGenerator[pb.StreamMeetingResponse, None]:
        name = (await anext(requests)).config.name
        for turn in (SHORT, LONG):
            yield pb.StreamMeetingResponse(event=pb.LiveEvent(event_seq=len(name), turn=turn))

    for length, on_loop in ((10, True), (10_000, False)):
        threads.clear()
        heard = await talk(answer, json.dumps({"config": {"name": "x" * length}}))
        assert [json.loads(text)["event"]["event_seq"] for text in heard] == [length] * 2
        assert threads == [("read_frame", on_loop), ("write_frame", True), ("write_frame", False)]


async def talk(stream: live_socket.Stream, first: str, beside: Any = None) -> list[str]:
    """What a client hears that sends one frame, while something else runs."""
    port, served = free_port(), LiveSocket(stream)
    await served.start(f"127.0.0.1:{port}")
    running = asyncio.create_task(beside) if beside else None
    try:
        async with asyncio.timeout(PATIENCE_S), connect(f"ws://127.0.0.1:{port}{PATH}", proxy=None) as connection:
            await connection.send(first)
            return [str(text) async for text in connection]
    finally:
        if running:
            running.cancel()
        await served.stop()

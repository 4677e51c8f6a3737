"""What the tests of the client say and listen for."""

from __future__ import annotations

import asyncio
import random

from meetra_client import (
    MIXED,
    Event,
    Finished,
    LiveMeeting,
    Track,
)
from tests.clients.python.server import CrookedServer

MIX = Track("mix", kind=MIXED)


SECOND = 32_000


def noise(seconds: float, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(int(seconds * 16_000) * 2)


async def all_events(meeting: LiveMeeting) -> list[Event]:
    return [event async for event in meeting.events()]


async def give(meeting: LiveMeeting, audio: bytes, piece: int = 6400, track: str = "mix") -> None:
    for begin in range(0, len(audio), piece):
        await meeting.send(track, audio[begin : begin + piece])
        await asyncio.sleep(0)


def assert_whole(server: CrookedServer, events: list[Event], **audio: bytes) -> None:
    assert {name: bytes(data) for name, data in server.only.audio.items()} == audio
    assert [event.event_seq for event in events] == list(range(1, len(server.only.events) + 1))
    assert isinstance(events[-1], Finished)
    assert events[-1].status == "ready"

"""Many bots at once, each streaming a meeting in real time, and how late they are told what was said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from meetra.v1 import live_pb2 as pb
from numpy.typing import NDArray

from benchmarks.recordings import RATE_HZ
from benchmarks.running_system import RunningSystem
from meetra_client import MIXED, Encoding, LiveEvent, LiveMeeting, MeetraClient, Track

TRACK = Track("mix", MIXED, encoding=Encoding.PCM_S16LE, sample_rate_hz=RATE_HZ)
CHUNK_S = 0.2
# The first words of a meeting wait for processes that load their models.
WARM_UP_S = 10.0


@dataclass
class Lags:
    """Seconds from the moment a turn's (or word's) last sample was sent to the event that tells it."""

    partial: list[float] = field(default_factory=list)
    stable: list[float] = field(default_factory=list)
    word: list[float] = field(default_factory=list)
    finish: list[float] = field(default_factory=list)
    """From FINISH to the last event."""

    def add(self, other: Lags) -> None:
        """Takes those of another bot."""
        for name in ("partial", "stable", "word", "finish"):
            getattr(self, name).extend(getattr(other, name))

    def all_turns(self) -> list[float]:
        """Partial and stable together."""
        return self.partial + self.stable


def percentiles(lags: Sequence[float]) -> dict[str, float]:
    """p50 and p95, seconds."""
    if not lags:
        return {"p50_s": float("nan"), "p95_s": float("nan"), "n": 0}
    p50, p95 = np.percentile(lags, [50, 95])
    return {"p50_s": round(float(p50), 3), "p95_s": round(float(p95), 3), "n": len(lags)}


class Bot:
    """One meeting in real time."""

    def __init__(self, pcm: NDArray[np.int16]) -> None:
        self._pcm = pcm
        self._began = 0.0
        self._words: set[tuple[int, str, int]] = set()
        self.lags = Lags()

    async def run(self, client: MeetraClient) -> Lags:
        """Streams it to its end."""
        async with client.live(name="load", tracks=[TRACK]) as meeting:
            self._began = time.monotonic()
            reading = asyncio.create_task(self._read(meeting))
            step = round(CHUNK_S * RATE_HZ)
            for first in range(0, len(self._pcm), step):
                # A chunk can be sent once its last sample was spoken.
                await asyncio.sleep(max(0.0, self._began + (first + step) / RATE_HZ - time.monotonic()))
                await meeting.send("mix", self._pcm[first : first + step].astype("<i2").tobytes())
            asked = time.monotonic()
            await meeting.finish()
            self.lags.finish.append(time.monotonic() - asked)
            await reading
        return self.lags

    async def _read(self, meeting: LiveMeeting) -> None:
        async for event in meeting.events():
            if event.WhichOneof("event") == "turn":
                self._take(event, time.monotonic() - self._began)

    def _take(self, event: LiveEvent, now_s: float) -> None:
        turn = event.turn
        if turn.state == pb.LIVE_TURN_STATE_FINAL or turn.end_ms / 1000 < WARM_UP_S:
            return
        if turn.state == pb.LIVE_TURN_STATE_PARTIAL and not turn.words:
            self.lags.partial.append(now_s - turn.end_ms / 1000)
        elif turn.state == pb.LIVE_TURN_STATE_STABLE and turn.revision > 1:
            fresh = [w for w in turn.words if (turn.segment_id, w.text, w.start_ms) not in self._words]
            if fresh:
                self.lags.stable.append(now_s - turn.end_ms / 1000)
        for word in turn.words:
            key = (turn.segment_id, word.text, word.start_ms)
            if key not in self._words:
                self._words.add(key)
                self.lags.word.append(now_s - word.end_ms / 1000)


async def run_bots(system: RunningSystem, meetings: Sequence[NDArray[np.int16]]) -> Lags:
    """All meetings at once, begun within one of their chunks after another."""
    total = Lags()
    client = MeetraClient(system.gateway, email=system.email, password=system.password)
    async with client:

        async def one(place: int, pcm: NDArray[np.int16]) -> None:
            # Spread over the engine's block, as meetings in the world are.
            await asyncio.sleep(0.512 * place / len(meetings))
            total.add(await Bot(pcm).run(client))

        async with asyncio.TaskGroup() as group:
            for place, pcm in enumerate(meetings):
                group.create_task(one(place, pcm))
    return total


def rotated(pcm: NDArray[np.int16], count: int) -> list[NDArray[np.int16]]:
    """So many meetings of the same speech, each begun elsewhere in it."""
    return [np.roll(pcm, -len(pcm) * place // max(1, count)) for place in range(count)]

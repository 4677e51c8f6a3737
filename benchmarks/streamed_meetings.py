"""Live meetings as a bot streams them, and the samples that were lost of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.recordings import RATE_HZ
from benchmarks.running_system import RunningSystem
from meetra_client import (
    MIXED,
    Encoding,
    Event,
    LiveMeeting,
    MeetraClient,
    MeetraError,
    Track,
)

NAME = "chaos"
TRACK = Track("mix", MIXED, encoding=Encoding.PCM_S16LE, sample_rate_hz=RATE_HZ)
# What a bot sends at once.
CHUNK_SAMPLES = RATE_HZ // 10
BeforeChunk = Callable[[LiveMeeting, int], None]
"""Called before each chunk with the meeting and the position of the chunk's first sample."""


@dataclass
class StreamedMeeting:
    """What a bot saw of its meeting."""

    session_id: str = ""
    file_hash: str = ""
    status: str = ""
    events: list[Event] = field(default_factory=list)
    reconnects: int = 0
    repeated: int = 0
    """Events that came over the wire though they had come before."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Errors that ended the bot's meeting, after each of which it resumed it, by reason."""
    behind_ms: int = 0
    """The most that its words were behind the audio on the server's disk while it was streamed."""
    finishing_s: float = 0.0
    """From its last audio to its outcome."""


async def stream(
    system: RunningSystem,
    pcm: NDArray[np.int16],
    speed: float = 0.0,
    before_chunk: BeforeChunk | None = None,
    patience_s: float = 0.0,
    streamed: StreamedMeeting | None = None,
) -> StreamedMeeting:
    """Stream a meeting to its end.

    Args:
        speed: times real time; 0: as fast as it is taken.
        before_chunk: see ``BeforeChunk``.
        patience_s: for how long after the start a meeting that the server refuses to go on with is resumed, seconds.
        streamed: where it is noted, also if it fails.

    Raises MeetraError after that.
    """
    streamed = StreamedMeeting() if streamed is None else streamed
    began = time.monotonic()
    async with system.client() as client:
        while True:
            try:
                await _stream_on(_meeting(client, streamed), streamed, pcm, speed, before_chunk, began)
                return streamed
            except MeetraError as error:
                if time.monotonic() - began >= patience_s:
                    raise
                streamed.refusals[error.reason or type(error).__name__] += 1
                await asyncio.sleep(error.retry_after_s or 1.0)


def _meeting(client: MeetraClient, streamed: StreamedMeeting) -> LiveMeeting:
    if not streamed.session_id:
        return client.live(name=NAME, tracks=[TRACK], insights_period_s=10)
    last = streamed.events[-1].event_seq if streamed.events else 0
    return client.resume(streamed.session_id, tracks=[TRACK], after_event_seq=last, take_over=True)


async def _stream_on(
    unopened: LiveMeeting,
    streamed: StreamedMeeting,
    pcm: NDArray[np.int16],
    speed: float,
    before_chunk: BeforeChunk | None,
    began: float,
) -> None:
    """Send what the server does not have yet, and finish."""
    async with unopened as meeting:
        streamed.session_id, streamed.file_hash = meeting.session_id, meeting.file_hash
        reading = asyncio.create_task(_collect(meeting, streamed.events))
        try:
            async for first in _paced(meeting.position("mix"), len(pcm), speed, began):
                if before_chunk is not None:
                    before_chunk(meeting, first)
                await meeting.send("mix", pcm[first : first + CHUNK_SAMPLES].astype("<i2").tobytes())
                streamed.behind_ms = max(streamed.behind_ms, meeting.words_lag_ms)
            sent = time.monotonic()
            streamed.status = (await meeting.finish()).status
            streamed.finishing_s = time.monotonic() - sent
            await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            streamed.reconnects += meeting.reconnects
            streamed.repeated += meeting.repeated_events


async def _collect(meeting: LiveMeeting, seen: list[Event]) -> None:
    async for event in meeting.events():
        seen.append(event)


async def _paced(start: int, samples: int, speed: float, began: float) -> AsyncIterator[int]:
    for first in range(start, samples, CHUNK_SAMPLES):
        if speed:
            await asyncio.sleep(max(0.0, began + first / RATE_HZ / speed - time.monotonic()))
        yield first


def lost_samples(kept: Path, file_hash: str, pcm: NDArray[np.int16]) -> int:
    """Samples of the source that the audio log does not hold in their place, and those it holds too much.

    Args:
        kept: folder with the audio log, at any depth: of the system's data, or of its object store's.
    """
    (path,) = kept.glob(f"**/{file_hash}/track-0.log")
    stored = np.fromfile(path, "<i2")
    both = min(len(stored), len(pcm))
    return int(np.count_nonzero(stored[:both] != pcm[:both])) + abs(len(stored) - len(pcm))

"""Many bots at once, each streaming a meeting in real time, and how late they are told what was said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.first_words import FirstWords
from benchmarks.recordings import RATE_HZ
from benchmarks.running_system import RunningSystem
from meetra_client import (
    MIXED,
    Encoding,
    Event,
    LiveMeeting,
    MeetraClient,
    Track,
    Turn,
    TurnEnd,
    TurnEndReason,
    TurnState,
    Watermark,
)

TRACK = Track("mix", MIXED, encoding=Encoding.PCM_S16LE, sample_rate_hz=RATE_HZ)
CHUNK_S = 0.2
# The first words of a meeting wait for everything that happens once.
WARM_UP_S = 10.0


KINDS = ("partial", "again", "turn_end", "change", "told", "stable", "word", "final_word", "finish")


@dataclass
class Lags:
    """Seconds from the moment a turn's (or word's) last sample was sent to the event that tells it."""

    partial: list[float] = field(default_factory=list)
    """Of turns while they grow, before any of their words is known: of events that tell more of a turn than before."""
    again: list[float] = field(default_factory=list)
    """Of events that tell such a turn again and no more of it: its end is moved back to where another speaks on, which
    is known once they have said 1 s, or another speaker is named. All of it was told before."""
    turn_end: list[float] = field(default_factory=list)
    """Of what somebody says, to the event that it has ended with a pause; of the meeting before FINISH."""
    change: list[float] = field(default_factory=list)
    """The same where another speaks on: known once they have said enough."""
    told: list[float] = field(default_factory=list)
    """Of turns with words, to the event that told the last of them before the turn was stable."""
    stable: list[float] = field(default_factory=list)
    """Of the same turns, to the event that they are stable: that their speaker is as sure as it can be meanwhile."""
    word: list[float] = field(default_factory=list)
    """Of words, to the first event that tells a word at their place: a provisional one."""
    final_word: list[float] = field(default_factory=list)
    """Of words, to the watermark that says that they are final; of the meeting before FINISH."""
    finish: list[float] = field(default_factory=list)
    """From FINISH to the last event."""

    def add(self, other: Lags) -> None:
        """Takes those of another bot."""
        for name in KINDS:
            getattr(self, name).extend(getattr(other, name))

    def all_turns(self) -> list[float]:
        """Partial turns, and those told with all their words, together."""
        return self.partial + self.told


def percentiles(lags: Sequence[float]) -> dict[str, float]:
    """p50 and p95, seconds."""
    if not lags:
        return {"p50_s": float("nan"), "p95_s": float("nan"), "n": 0}
    p50, p95 = np.percentile(lags, [50, 95])
    return {"p50_s": round(float(p50), 3), "p95_s": round(float(p95), 3), "n": len(lags)}


class LagMeter:
    """The lags of one meeting of one track, event by event."""

    def __init__(self) -> None:
        self.lags = Lags()
        self._first_words = FirstWords()
        self._segments_with_words: set[int] = set()  # segments that were told with words
        self._told_ends_ms: dict[int, int] = {}  # how far a segment was told at most
        self._stable_segments: set[int] = set()  # segments that were told to be stable
        self._last_words_s: dict[int, float] = {}  # when new words of a segment were told last
        self._final_ms = 0
        self._ends_ms: dict[int, list[int]] = {}  # of words that are not final yet, by segment

    def add(self, event: Event, now_s: float) -> None:
        """An event that came so many seconds after the first sample was sent."""
        match event:
            case Turn() as turn:
                self._add_turn(turn, now_s)
            case TurnEnd(end_ms=end_ms, reason=reason) if end_ms / 1000 >= WARM_UP_S:
                paused = reason is TurnEndReason.PAUSE
                (self.lags.turn_end if paused else self.lags.change).append(now_s - end_ms / 1000)
            case Watermark(words_final_through_ms=through_ms):
                self._add_watermark(through_ms, now_s)

    def _add_turn(self, turn: Turn, now_s: float) -> None:
        self._ends_ms[turn.segment_id] = [w.end_ms for w in turn.words if w.end_ms > self._final_ms]
        if turn.state is TurnState.FINAL or turn.end_ms / 1000 < WARM_UP_S:
            return
        new_words = self._first_words.add(turn.words)
        self.lags.word.extend(now_s - word.end_ms / 1000 for word in new_words)
        if turn.state is TurnState.PARTIAL and not turn.words and turn.segment_id not in self._segments_with_words:
            tells_more = turn.end_ms > self._told_ends_ms.get(turn.segment_id, 0)
            (self.lags.partial if tells_more else self.lags.again).append(now_s - turn.end_ms / 1000)
        elif turn.state is TurnState.STABLE and turn.segment_id not in self._stable_segments:
            # One that is told again, with its words for good, was told before.
            self._stable_segments.add(turn.segment_id)
            told_s = now_s if new_words else self._last_words_s.get(turn.segment_id)
            if told_s is not None and turn.revision > 1:
                self.lags.told.append(told_s - turn.end_ms / 1000)
                self.lags.stable.append(now_s - turn.end_ms / 1000)
        if new_words:
            self._last_words_s[turn.segment_id] = now_s
        self._told_ends_ms[turn.segment_id] = max(turn.end_ms, self._told_ends_ms.get(turn.segment_id, 0))
        if turn.words:
            self._segments_with_words.add(turn.segment_id)

    def _add_watermark(self, through_ms: int, now_s: float) -> None:
        for segment, ends_ms in self._ends_ms.items():
            final = [end_ms for end_ms in ends_ms if WARM_UP_S * 1000 <= end_ms <= through_ms]
            self.lags.final_word.extend(now_s - end_ms / 1000 for end_ms in final)
            self._ends_ms[segment] = [end_ms for end_ms in ends_ms if end_ms > through_ms]
        self._final_ms = through_ms


class LoadBot:
    """One meeting in real time."""

    def __init__(self, pcm: NDArray[np.int16]) -> None:
        self._pcm = pcm
        self.file_hash = ""
        """Of the meeting, once it is open."""
        self.status = ""
        """Of the meeting, once it has ended."""
        self.enough = asyncio.Event()
        """Set: the meeting ends here."""
        self.spoken = asyncio.Event()
        """Set once all audio is sent; the meeting's last events may be yet to come."""
        self._began = 0.0
        self._finishing = False
        self._meter = LagMeter()

    async def run(self, client: MeetraClient) -> Lags:
        """Streams it to its end."""
        lags = self._meter.lags
        async with client.live(name="load", tracks=[TRACK]) as meeting:
            self._began, self.file_hash = time.monotonic(), meeting.file_hash
            reading = asyncio.create_task(self._read(meeting))
            step = round(CHUNK_S * RATE_HZ)
            for first in range(0, len(self._pcm), step):
                # A chunk can be sent once its last sample was spoken.
                await asyncio.sleep(max(0.0, self._began + (first + step) / RATE_HZ - time.monotonic()))
                if self.enough.is_set():
                    break
                await meeting.send("mix", self._pcm[first : first + step].astype("<i2").tobytes())
            finish_sent = time.monotonic()
            self._finishing = True
            self.spoken.set()
            self.status = (await meeting.finish()).status
            lags.finish.append(time.monotonic() - finish_sent)
            await reading
        return lags

    async def _read(self, meeting: LiveMeeting) -> None:
        async for event in meeting.events():
            # What the end makes final says nothing of how long words stay provisional, nor of how soon turns end.
            if not (self._finishing and isinstance(event, Watermark | TurnEnd)):
                self._meter.add(event, time.monotonic() - self._began)


async def run_bots(system: RunningSystem, meetings: Sequence[NDArray[np.int16]]) -> Lags:
    """All meetings at once, begun within one of their chunks after another."""
    total = Lags()
    async with system.client() as client:

        async def run_bot(index: int, pcm: NDArray[np.int16]) -> None:
            # Spread over the engine's block, as meetings in the world are.
            await asyncio.sleep(0.512 * index / len(meetings))
            total.add(await LoadBot(pcm).run(client))

        async with asyncio.TaskGroup() as group:
            for index, pcm in enumerate(meetings):
                group.create_task(run_bot(index, pcm))
    return total


def rotated(pcm: NDArray[np.int16], count: int) -> list[NDArray[np.int16]]:
    """So many meetings of the same speech, each begun elsewhere in it."""
    return [np.roll(pcm, -len(pcm) * index // max(1, count)) for index in range(count)]

"""A live meeting while everything breaks: is a sample lost, an event told twice, the result another?

    python -m benchmarks.chaos [--minutes 10] [--speed 1] [--drops 20] [--inference-kills 3] [--api-kills 2]
                               [--seed 0] [--json FILE]

One meeting is streamed three times: uploaded as a file, live undisturbed, and live while the
connection is cut and processes are killed (kill -9) at random moments. Counted are samples of the
source that the audio log does not hold in their place, event numbers told more than once (or
another event under the same number than the one stored), and differences between the three results.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import random
import signal
import sys
import tempfile
import time
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
from meetra.v1 import live_pb2 as pb
from numpy.typing import NDArray

from benchmarks.recordings import RATE_HZ, dialogues
from benchmarks.running_system import RunningSystem, circumstances, running_system
from meetra_client import MIXED, Encoding, Event, LiveMeeting, Track, Turn, TurnState

TRACK = Track("mix", MIXED, encoding=Encoding.PCM_S16LE, sample_rate_hz=RATE_HZ)
# What a bot sends at once.
CHUNK_SAMPLES = RATE_HZ // 10


@dataclass(frozen=True, slots=True)
class Disturbances:
    """What happens to a meeting, at moments drawn from ``seed``."""

    drops: int
    inference_kills: int
    api_kills: int
    seed: int = 0

    def at(self, duration_s: float) -> list[tuple[float, str]]:
        """When (seconds from the start, in the order of time) what breaks; nothing in the first and last tenth."""
        dice = random.Random(self.seed)
        kinds = ["drop"] * self.drops + ["inference"] * self.inference_kills + ["api"] * self.api_kills
        return sorted((dice.uniform(0.1, 0.9) * duration_s, kind) for kind in kinds)


@dataclass
class StreamedMeeting:
    """What a bot saw of its meeting."""

    session_id: str
    file_hash: str
    status: str
    events: list[Event] = field(default_factory=list)
    reconnects: int = 0
    repeated: int = 0
    """Events that came over the wire though they had come before."""


async def stream(
    system: RunningSystem, pcm: NDArray[np.int16], speed: float, disturbances: Disturbances | None
) -> StreamedMeeting:
    """Streams a meeting to its end; ``speed`` 0: as fast as it is taken."""
    client = system.client()
    async with client, client.live(name="chaos", tracks=[TRACK], insights_period_s=10) as meeting:
        seen: list[Event] = []
        reading = asyncio.create_task(_collect(meeting, seen))
        due = disturbances.at(len(pcm) / RATE_HZ) if disturbances else []
        async for first in _paced(len(pcm), speed, time.monotonic()):
            while due and due[0][0] <= first / RATE_HZ:
                _disturb(system, meeting, due.pop(0)[1])
            await meeting.send("mix", pcm[first : first + CHUNK_SAMPLES].astype("<i2").tobytes())
        finished = await meeting.finish()
        await reading
        return StreamedMeeting(
            meeting.session_id, meeting.file_hash, finished.status, seen, meeting.reconnects, meeting.repeated_events
        )


async def _collect(meeting: LiveMeeting, seen: list[Event]) -> None:
    async for event in meeting.events():
        seen.append(event)


async def _paced(samples: int, speed: float, began: float) -> AsyncIterator[int]:
    for first in range(0, samples, CHUNK_SAMPLES):
        if speed:
            await asyncio.sleep(max(0.0, began + first / RATE_HZ / speed - time.monotonic()))
        yield first


def _disturb(system: RunningSystem, meeting: LiveMeeting, kind: str) -> None:
    print(f"  {kind} at {meeting.position('mix') / RATE_HZ:.1f} s", flush=True)
    if kind == "drop":
        meeting.drop_connection()
        return
    try:
        os.kill(system.pid(kind), signal.SIGKILL)
    except ProcessLookupError:
        print(f"  ({kind} was already down)", flush=True)


async def _upload(system: RunningSystem, pcm: NDArray[np.int16]) -> str:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(pcm.astype("<i2").tobytes())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "chaos.wav")
        path.write_bytes(out.getvalue())
        async with system.client() as client:
            receipt = await client.upload(path, name="chaos")
            await client.wait(receipt.file_hash)
    return receipt.file_hash


def lost_samples(system: RunningSystem, streamed: StreamedMeeting, pcm: NDArray[np.int16]) -> int:
    """Samples of the source that the audio log does not hold in their place, and those it holds too much."""
    (path,) = system.data.glob(f"audio/*/{streamed.file_hash[:2]}/{streamed.file_hash}/track-0.log")
    stored = np.fromfile(path, "<i2")
    both = min(len(stored), len(pcm))
    return int(np.count_nonzero(stored[:both] != pcm[:both])) + abs(len(stored) - len(pcm))


async def duplicate_events(connection: asyncpg.Connection[Any], streamed: StreamedMeeting) -> int:
    """Event numbers told twice, and events told under a number that another is stored under."""
    numbers = [event.event_seq for event in streamed.events]
    stored = dict(
        await connection.fetch("SELECT event_seq, payload FROM live_events WHERE meeting_id = $1", streamed.session_id)
    )
    repeated_numbers = len(numbers) - len(set(numbers))
    mismatches = sum(
        pb.LiveEvent.FromString(stored[e.event_seq]) != e.raw for e in streamed.events if e.event_seq in stored
    )
    return repeated_numbers + mismatches + streamed.repeated


async def result(connection: asyncpg.Connection[Any], file_hash: str) -> dict[str, Any]:
    """Everything that is stored of a finished meeting, but what names the meeting itself."""
    rows = await connection.fetch(
        "SELECT family, value FROM insights JOIN meetings ON id = meeting_id WHERE file_hash = $1", file_hash
    )
    document = await connection.fetchval(
        "SELECT document FROM conversations JOIN meetings ON id = meeting_id WHERE file_hash = $1", file_hash
    )
    conversation = numbered_in_order(json.loads(document))
    return {"conversation": conversation, **{row["family"]: json.loads(row["value"]) for row in rows}}


def numbered_in_order(conversation: dict[str, Any]) -> dict[str, Any]:
    """A stored conversation, its segments numbered from 1 in their order: ids of live ones leave room for tracks."""
    numbers = {segment["segment_id"]: place for place, segment in enumerate(conversation["segments"], 1)}
    parts = {
        name: [{**part, "segment_id": numbers[part["segment_id"]]} for part in conversation[name]]
        for name in ("segments", "sentences")
    }
    return {**conversation, **parts}


def differences(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """What differs: turns, words, sentences, and each family of scores."""
    a, b = first["conversation"], second["conversation"]
    found = [f"conversation.{name}" for name in a.keys() | b.keys() if a.get(name) != b.get(name)]
    return found + [
        name for name in first.keys() | second.keys() if name != "conversation" and first[name] != second[name]
    ]


def final_turns(streamed: StreamedMeeting) -> list[tuple[Any, ...]]:
    """The turns as a client has them in the end: the highest revision of each segment."""
    latest = {event.segment_id: event for event in streamed.events if isinstance(event, Turn)}
    kept = [turn for turn in latest.values() if turn.state is TurnState.FINAL]
    return sorted((t.start_ms, t.end_ms, t.segment_id, t.text) for t in kept)


async def measure(pcm: NDArray[np.int16], speed: float, disturbances: Disturbances) -> dict[str, Any]:
    """The figures."""
    with running_system() as system:
        print("uploading", flush=True)
        uploaded = await _upload(system, pcm)
        print("streaming undisturbed", flush=True)
        calm = await stream(system, pcm, 0, None)
        print("streaming disturbed", flush=True)
        disturbed = await stream(system, pcm, speed, disturbances)
        connection = await asyncpg.connect(system.database_url)
        try:
            reference = await result(connection, calm.file_hash)
            found = differences(reference, await result(connection, disturbed.file_hash))
            found += [f"upload: {name}" for name in differences(reference, await result(connection, uploaded))]
            if final_turns(calm) != final_turns(disturbed):
                found.append("turns told")
            return {
                "lost_samples": lost_samples(system, disturbed, pcm) + lost_samples(system, calm, pcm),
                "duplicate_events": await duplicate_events(connection, disturbed),
                "differences": len(found),
                "different": found,
                "minutes": round(len(pcm) / RATE_HZ / 60, 2),
                "status": disturbed.status,
                "events": len(disturbed.events),
                "reconnects": disturbed.reconnects,
            }
        finally:
            await connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="length of the meeting, minutes")
    parser.add_argument("--speed", type=float, default=1, help="speed of the disturbed run, times real time")
    parser.add_argument("--drops", type=int, default=20, help="number of connections to cut")
    parser.add_argument("--inference-kills", type=int, default=3, help="number of kill -9 of the inference server")
    parser.add_argument("--api-kills", type=int, default=2, help="number of kill -9 of the API server")
    parser.add_argument("--seed", type=int, default=0, help="random seed of the times of the faults")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    disturbances = Disturbances(options.drops, options.inference_kills, options.api_kills, options.seed)
    figures = asyncio.run(measure(dialogues(options.minutes), options.speed, disturbances))
    for name, value in figures.items():
        print(f"{name:<18}{value}")
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0 if not (figures["lost_samples"] or figures["duplicate_events"] or figures["differences"]) else 1


if __name__ == "__main__":
    sys.exit(main())

"""A live meeting while everything breaks: is a sample lost, an event told twice, the result another?

    python -m benchmarks.chaos [--minutes 10] [--speed 1] [--drops 20] [--inference-kills 3] [--api-kills 2]
                               [--seed 0] [--json FILE]

One meeting is streamed three times: uploaded as a file, live undisturbed, and live while the
connection is cut and processes are killed (kill -9) at random moments. Counted are samples of the
source that the audio log does not hold in their place, event numbers told more than once (or
of events that were never stored so), and differences between the three results.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from benchmarks.recordings import RATE_HZ, dialogues
from benchmarks.running_system import RunningSystem, circumstances, running_system
from benchmarks.stored_results import differences, result
from benchmarks.streamed_meetings import NAME, BeforeChunk, lost_samples, stream
from benchmarks.told_events import final_turns, keep_superseded_events, stored_events, wrong_events
from meetra_client import LiveMeeting
from tests.recordings import wav


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


def _disturber(system: RunningSystem, disturbances: Disturbances, duration_s: float) -> BeforeChunk:
    """What disturbs a meeting while it is streamed."""
    due = disturbances.at(duration_s)

    def disturb(meeting: LiveMeeting, first_sample: int) -> None:
        while due and due[0][0] <= first_sample / RATE_HZ:
            _disturb(system, meeting, due.pop(0)[1])

    return disturb


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
    async with system.client() as client:
        receipt = await client.upload(wav(pcm), name=NAME)
        await client.wait(receipt.file_hash)
    return receipt.file_hash


async def measure(pcm: NDArray[np.int16], speed: float, disturbances: Disturbances) -> dict[str, Any]:
    """The figures."""
    with running_system() as system:
        connection = await asyncpg.connect(system.database_url)
        try:
            await keep_superseded_events(connection)
        finally:
            await connection.close()
        print("uploading", flush=True)
        uploaded = await _upload(system, pcm)
        print("streaming undisturbed", flush=True)
        calm = await stream(system, pcm)
        print("streaming disturbed", flush=True)
        disturbed = await stream(system, pcm, speed, _disturber(system, disturbances, len(pcm) / RATE_HZ))
        connection = await asyncpg.connect(system.database_url)
        try:
            reference = await result(connection, calm.file_hash)
            found = differences(reference, await result(connection, disturbed.file_hash))
            found += [f"upload: {name}" for name in differences(reference, await result(connection, uploaded))]
            if final_turns(calm.events) != final_turns(disturbed.events):
                found.append("turns told")
            return {
                "lost_samples": sum(lost_samples(system.audio, one.file_hash, pcm) for one in (disturbed, calm)),
                "duplicate_events": wrong_events(
                    disturbed.events, await stored_events(connection, disturbed.session_id)
                )
                + disturbed.repeated,
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

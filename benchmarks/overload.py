"""What happens to work beyond what the machine holds: is it refused at once, does what was accepted complete?

    python -m benchmarks.overload [--minutes 10] [--times 3] [--holds 7 --uploads-per-minute 20] [--json FILE]

First it finds out what the machine holds: live meetings of one track in real time, one more every ten seconds until the
server opens no further one, and recordings of 30 s a minute, from six at once. --holds and --uploads-per-minute say it
instead. Then, on a system of its own, it offers as much as that for three minutes, and then --times as much, so long:
callers who begin within a minute and hold live meetings of 45 to 90 s one after the other, two thirds of what fills the
machine, and recordings at fixed moments, the other third; who is refused comes again when it was told to. Light calls
are made all the while, and before it on the idle machine.

- ``offered``, ``accepted``, ``completed``: live meetings at once and uploads a minute; those that were accepted; those
  of them that became ready, and how long after the load the last of them did (seconds);
- ``lost``: meetings that were accepted and did not, samples of live meetings that are not in the audio log;
- ``refused``, ``refused_s``: by kind of call and reason, and how soon, as the caller sees it (seconds);
- ``light_s``: p95 of light calls on the idle machine, at what it holds and during the overload, and the last as a
  multiple of each;
- ``memory_mb``: by process with its children, what several share in parts: medians of the first, middle and last tenth
  of the overload, from when all callers have begun;
- ``lag_s``, ``finish_s``: how late turns of live meetings were told, and the time from their end to the last event;
- ``engine``: live sessions, and how late their work began as the engine tells it, every two seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.live_load import LoadBot
from benchmarks.offered_load import BEGIN_WITHIN_S, Answers, OfferedLoad, signed_in
from benchmarks.recordings import sample_speech
from benchmarks.running_system import RunningSystem, circumstances, running_system

# As it is by default, where other benchmarks open live meetings however late they are.
SETTINGS = {
    "MEETRA_INFERENCE_MAX_LIVE_LAG_S": "5",
    "MEETRA_QUOTA_MINUTES_PER_DAY": "1000000",
    "MEETRA_QUOTA_UPLOADS_AT_ONCE": "256",
}
ALONE_S = 20.0
# At what it holds: until all callers have begun, and then measured, seconds.
HELD_S = 120.0
RAMP_EVERY_S, RAMP_MOST = 10.0, 256
UPLOADS_AT_ONCE = 6
# Of the work that is offered.
LIVE_SHARE = 2 / 3


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, 95th percentile and largest; NaN of nothing."""
    p50, p95, most = np.percentile(values, [50, 95, 100]) if values else [float("nan")] * 3
    return {"p50": round(float(p50), 4), "p95": round(float(p95), 4), "most": round(float(most), 4)}


def tenths(values: Sequence[int]) -> tuple[float, float, float]:
    """Return the medians of the first, the middle and the last tenth; NaN of nothing."""
    if not values:
        return (float("nan"),) * 3
    tenth, middle = max(1, len(values) // 10), len(values) // 2
    parts = values[:tenth], values[middle - tenth // 2 :][:tenth], values[-tenth:]
    first, between, last = (float(np.median(part)) for part in parts)
    return first, between, last


async def holds(system: RunningSystem) -> tuple[int, float]:
    """Return how many live meetings the machine holds, and how many recordings a minute."""
    async with signed_in(system) as http, system.client() as client:
        load = OfferedLoad(system, http, client, Answers())
        began = time.monotonic()
        hashes = await asyncio.gather(*(load.upload() for _ in range(UPLOADS_AT_ONCE)))
        await asyncio.gather(*(load.settled(file_hash) for file_hash in hashes if file_hash))
        per_minute = UPLOADS_AT_ONCE / (time.monotonic() - began) * 60
        speech = sample_speech(RAMP_MOST * RAMP_EVERY_S / 60)
        bots: list[LoadBot] = []
        async with asyncio.TaskGroup() as group:
            while not load.found.refused and len(bots) < RAMP_MOST:
                # Each begins elsewhere in the speech.
                pcm = np.roll(speech, -len(bots) * 7 * 16_000)
                bots.append(LoadBot(pcm))
                group.create_task(load.meeting(bots[-1], pcm))
                await asyncio.sleep(RAMP_EVERY_S)
            for bot in bots:
                bot.enough.set()
        # With the last one that was accepted it became late.
        return max(1, load.found.live - 1), per_minute


@dataclass(frozen=True, slots=True)
class Work:
    """What is offered."""

    live: int
    """Callers with live meetings."""
    uploads_per_minute: float

    def times(self, factor: float) -> Work:
        """Return so many times as much."""
        return Work(round(self.live * factor), self.uploads_per_minute * factor)


async def overload(system: RunningSystem, minutes: float, held: Work, times: float) -> dict[str, Any]:
    """Offer as much as the machine holds, and then more for so long; return the figures of the docstring above."""
    found, alone, at_held, offered = Answers(), list[float](), list[float](), held.times(times)
    async with signed_in(system) as http, system.client() as client:
        load = OfferedLoad(system, http, client, found)
        first = await load.upload()
        assert first is not None, found.refused
        assert await load.settled(first) == "ready"
        await load.light(first, time.monotonic() + ALONE_S, alone)
        speech, more_at = sample_speech(5), time.monotonic() + BEGIN_WITHIN_S + HELD_S
        until = more_at + minutes * 60
        async with asyncio.TaskGroup() as group:
            group.create_task(load.live(speech, range(held.live), until))
            group.create_task(load.uploads(held.uploads_per_minute, until))
            await asyncio.sleep(BEGIN_WITHIN_S)
            await load.light(first, more_at, at_held)
            group.create_task(load.live(speech, range(held.live, offered.live), until))
            group.create_task(load.uploads(offered.uploads_per_minute - held.uploads_per_minute, until))
            group.create_task(load.light(first, until, found.light_s))
            await asyncio.sleep(BEGIN_WITHIN_S)
            group.create_task(load.watch(until))
        states = Counter([await load.settled(file_hash) for file_hash in found.uploads])
        completed_after_s = time.monotonic() - until
    return {
        "offered": {
            "live_at_once": offered.live,
            "uploads_per_minute": round(offered.uploads_per_minute, 1),
            "minutes": minutes,
        },
        "accepted": {"live": found.live, "uploads": len(found.uploads)},
        "completed": {"live": found.live_ended["ready"], "uploads": states["ready"]},
        "completed_after_s": round(completed_after_s, 1),
        "lost": {
            "meetings": found.live - found.live_ended["ready"] + len(found.uploads) - states["ready"],
            "samples": found.lost_samples,
        },
        "ended": {"live": dict(found.live_ended), "uploads": dict(states)},
        "refused": dict(found.refused),
        "refused_s": spread(found.refused_after_s),
        "opened_s": spread(found.opened_after_s),
        "light_s": {
            "alone": spread(alone)["p95"],
            "at_what_it_holds": spread(at_held)["p95"],
            "overload": spread(found.light_s)["p95"],
            "times_alone": round(spread(found.light_s)["p95"] / spread(alone)["p95"], 2),
            "times_what_it_holds": round(spread(found.light_s)["p95"] / spread(at_held)["p95"], 2),
            "calls": len(found.light_s),
            "failed": dict(found.light_failed),
        },
        "memory_mb": {name: [round(mb / 1e6) for mb in tenths(found.memory[name])] for name in found.memory},
        "lag_s": {**spread(found.turns_s), "turns": len(found.turns_s)},
        "finish_s": spread(found.finish_s),
        "engine": {"lag_s": spread(found.engine_lag_s), "live_sessions": spread(found.live_sessions)},
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="duration of the overload, minutes")
    parser.add_argument("--times", type=float, default=3, help="how many times what it holds")
    parser.add_argument("--holds", type=int, help="live meetings that it holds; found out if absent")
    parser.add_argument("--uploads-per-minute", type=float, help="recordings of 30 s that it holds, likewise")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    held: dict[str, Any] = {"live": options.holds, "uploads_per_minute": options.uploads_per_minute}
    busy = {"before": os.getloadavg()[0]}
    if None in held.values():
        with running_system(SETTINGS) as system:
            live, per_minute = asyncio.run(holds(system))
        found = {"live": live, "uploads_per_minute": round(per_minute, 1)}
        held = {name: found[name] if value is None else value for name, value in held.items()}
    print("holds            ", held, flush=True)
    busy["between"] = os.getloadavg()[0]
    work = Work(round(held["live"] * LIVE_SHARE), held["uploads_per_minute"] * (1 - LIVE_SHARE))
    with running_system(SETTINGS) as system:
        figures = {"holds": held, **asyncio.run(overload(system, options.minutes, work, options.times))}
    figures["load_average"] = busy
    for name, value in figures.items():
        print(f"{name:<18}{value}")
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

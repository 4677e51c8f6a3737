"""What happens to work beyond what the machine holds: is it refused at once, does what was accepted complete?

    python -m benchmarks.overload [--minutes 10] [--times 3] [--live 7] [--uploads-per-minute 20] [--json FILE]

--live streams and --uploads-per-minute recordings of 30 s are what the machine is thought to hold. It gets --times as
many of both, for so long: live meetings in real time, and uploads at fixed moments, whether or not the ones before are
analysed. Light calls are made all the while, and before it on the idle machine. Printed are

- ``accepted`` and ``completed``: uploads and live meetings that were accepted, and those of them that became ready;
- ``refused``: what was not, by status and reason, and how soon (p95 and longest, seconds);
- ``light``: p95 of light calls alone and during the overload, seconds, and their ratio;
- ``memory``: resident bytes of all processes, the median of the second third of the time and of the last;
- ``lag``: how late turns were told, p50 and p95, seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
import psutil

from benchmarks.hostile_caller import recording
from benchmarks.live_load import LoadBot, rotated
from benchmarks.peak_memory import resident_bytes
from benchmarks.recordings import sample_speech
from benchmarks.running_system import RunningSystem, circumstances, running_system
from meetra_client import MeetraClient

UPLOAD, MEETING, MEETINGS = "/single-feature-api/upload", "/single-feature-api/meeting", "/single-feature-api/meetings"
READS = (f"{MEETING}/status", f"{MEETING}/transcription", f"{MEETING}/quality", f"{MEETING}/meeting-dynamics")
RECORDING_S = 30
LIGHT_EVERY_S = 0.25
ALONE_S = 20
MEMORY_EVERY_S = 2.0
# For the last of what was accepted, after the overload.
COMPLETE_S = 3600


@dataclass
class Overload:
    """What was asked, and how it was answered."""

    accepted: list[str] = field(default_factory=list)
    """Hashes of recordings."""
    live_ready: int = 0
    live_failed: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    refused_after_s: list[float] = field(default_factory=list)
    light_s: list[float] = field(default_factory=list)
    light_failed: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)


def p95(values: list[float]) -> float:
    """Return the 95th percentile, NaN of nothing."""
    return float(np.percentile(values, 95)) if values else float("nan")


class Load:
    """Callers of one system."""

    def __init__(self, system: RunningSystem, http: httpx.AsyncClient, found: Overload) -> None:
        self._system, self._http, self._found = system, http, found

    async def light(self, file_hash: str, until: float, took: list[float]) -> None:
        """Read one meeting's answers and the list of meetings, again and again."""
        while time.monotonic() < until:
            for path in (*READS, MEETINGS):
                began = time.monotonic()
                answer = await self._http.get(path, params={"file-hash": file_hash} if path in READS else {})
                if answer.is_success:
                    took.append(time.monotonic() - began)
                else:
                    self._found.light_failed[str(answer.status_code)] += 1
            await asyncio.sleep(LIGHT_EVERY_S)

    async def upload(self) -> str | None:
        """Upload a recording; return its hash, or None if it is refused."""
        data = await asyncio.to_thread(recording, RECORDING_S)
        began = time.monotonic()
        answer = await self._http.post(UPLOAD, files={"file": ("meeting.wav", data, "audio/wav")})
        if answer.is_success:
            return str(answer.json()["file_hash"])
        self._found.refused[f"upload {answer.status_code} {answer.json().get('reason', '')}".strip()] += 1
        self._found.refused_after_s.append(time.monotonic() - began)
        return None

    async def uploads(self, per_minute: float, until: float) -> None:
        """Upload at fixed moments, whatever became of the ones before."""
        due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            while due < until:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                group.create_task(self._keep(self.upload()))
                due += 60 / per_minute

    async def _keep(self, upload: Any) -> None:
        if (file_hash := await upload) is not None:
            self._found.accepted.append(file_hash)

    async def live(self, count: int, minutes: float) -> None:
        """Stream so many meetings."""

        async def stream(client: MeetraClient, pcm: Any) -> None:
            try:
                self._found.lags += (await LoadBot(pcm).run(client)).all_turns()
                self._found.live_ready += 1
            except Exception as error:  # counted, whatever it is
                self._found.live_failed[f"{type(error).__name__}: {error}"[:200]] += 1

        async with self._system.client() as client, asyncio.TaskGroup() as group:
            for pcm in rotated(sample_speech(minutes), count):
                group.create_task(stream(client, pcm))

    async def memory(self, until: float) -> None:
        """Measure the memory of all processes of the system."""
        roots = [psutil.Process(self._system.pid(name)) for name in ("postgres", "inference", "api", "worker", "envoy")]
        while time.monotonic() < until:
            self._found.memory.append(sum(map(resident_bytes, roots)))
            await asyncio.sleep(MEMORY_EVERY_S)

    async def settled(self, file_hash: str) -> str:
        """Wait for a recording's end; return its status."""
        until = time.monotonic() + COMPLETE_S
        while time.monotonic() < until:
            status = (await self._http.get(READS[0], params={"file-hash": file_hash})).json().get("status", "")
            if status in ("ready", "failed"):
                return str(status)
            await asyncio.sleep(1.0)
        return "unfinished"


async def overload(system: RunningSystem, minutes: float, live: int, uploads_per_minute: float) -> dict[str, Any]:
    """Return the figures of the docstring above."""
    found, alone = Overload(), list[float]()
    async with httpx.AsyncClient(base_url=system.gateway, timeout=120) as http:
        body = {"email": system.email, "password": system.password}
        http.headers["authorization"] = f"Bearer {(await http.post('/api-login', json=body)).json()['token']}"
        load = Load(system, http, found)
        first = await load.upload()
        assert first is not None, found.refused
        assert await load.settled(first) == "ready"
        await load.light(first, time.monotonic() + ALONE_S, alone)
        until = time.monotonic() + minutes * 60
        async with asyncio.TaskGroup() as group:
            group.create_task(load.light(first, until, found.light_s))
            group.create_task(load.uploads(uploads_per_minute, until))
            group.create_task(load.memory(until))
            group.create_task(load.live(live, minutes))
        ended = time.monotonic()
        states = Counter([await load.settled(file_hash) for file_hash in found.accepted])
    third = max(1, len(found.memory) // 3)
    return {
        "accepted": {"uploads": len(found.accepted), "live": live},
        "completed": {"uploads": states["ready"], "live": found.live_ready},
        "not_completed": {**states, **found.live_failed}
        if states["ready"] < states.total() or found.live_failed
        else {},
        "completed_after_s": round(time.monotonic() - ended, 1),
        "refused": dict(found.refused),
        "refused_s": {"p95": p95(found.refused_after_s), "longest": max(found.refused_after_s, default=float("nan"))},
        "light_s": {"alone": p95(alone), "overload": p95(found.light_s), "ratio": p95(found.light_s) / p95(alone)},
        "light_failed": dict(found.light_failed),
        "memory_bytes": {
            "second_third": median(found.memory[third : 2 * third] or [0]),
            "last": median(found.memory[-third:]),
        },
        "lag_s": {"p50": median(found.lags or [float("nan")]), "p95": p95(found.lags), "turns": len(found.lags)},
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="duration of the overload, minutes")
    parser.add_argument("--times", type=float, default=3, help="how many times what it holds")
    parser.add_argument("--live", type=int, default=7, help="live meetings that it holds")
    parser.add_argument("--uploads-per-minute", type=float, default=20, help="recordings of 30 s that it holds")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    live, uploads = round(options.live * options.times), options.uploads_per_minute * options.times
    with running_system() as system:
        figures = asyncio.run(overload(system, options.minutes, live, uploads))
    for name, value in figures.items():
        print(f"{name:<18}{value}")
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

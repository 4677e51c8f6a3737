"""What one organization at full tilt costs another that works beside it.

    python -m benchmarks.abuse [--minutes 3] [--logs FOLDER] [--json FILE]

One organization reads its meetings, logs in, uploads half a minute of speech again and again and streams a live
meeting: first alone, then while another one makes every kind of call as often as it can (``benchmarks.hostile_caller``,
a process at the lowest priority, so that the servers' work is measured and not the caller's). Printed are the 95th
percentiles of both runs, their ratio, every answer that was a refusal, and the cores that each process had in both.
Each organization has an address of its own.
``--logs`` keeps the system's logs, which have what each INTERNAL error was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.exactly_once import processor_s
from benchmarks.hostile_caller import recording
from benchmarks.live_load import LoadBot
from benchmarks.recordings import sample_speech
from benchmarks.running_system import ROOT, RunningSystem, circumstances, running_system
from meetra_client import MeetraClient

S, M = "/single-feature-api", "/single-feature-api/meeting"
READS = (f"{M}/status", f"{M}/transcription", f"{M}/quality", f"{M}/meeting-dynamics", f"{M}/topics")
UPLOAD_S = 30
# Pauses between two calls of a kind, seconds.
READ_EVERY_S, LOGIN_EVERY_S, UPLOAD_EVERY_S = 0.25, 5.0, 5.0
READY_TIMEOUT_S = 600
# Believed by the gateway, as if a proxy had written it.
ADDRESS = "203.0.113.1"
ONE_PROXY = {"MEETRA_GATEWAY_TRUSTED_PROXIES": "1"}


@dataclass
class Work:
    """What an organization did, and how long each call took, seconds."""

    took: dict[str, list[float]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    cores: dict[str, float] = field(default_factory=dict)
    """Processor time of each process of the system over the time that passed."""

    def add(self, kind: str, seconds: float) -> None:
        """Count a call that succeeded."""
        self.took.setdefault(kind, []).append(seconds)

    def p95(self) -> dict[str, float]:
        """Return the 95th percentile of each kind, seconds."""
        return {kind: float(np.percentile(values, 95)) for kind, values in sorted(self.took.items())}


class Worker:
    """An organization at its ordinary work."""

    def __init__(self, system: RunningSystem) -> None:
        self._system = system
        self._work = Work()

    async def run(self, minutes: float) -> Work:
        """Work for so long; what has begun is finished."""
        self._work, began = Work(), time.monotonic()
        names = sorted(path.stem for path in (self._system.data / "run").glob("*.pid"))
        spent = {name: processor_s(self._system, [name]) for name in names}
        async with httpx.AsyncClient(base_url=self._system.gateway, timeout=120) as http:
            http.headers["x-forwarded-for"] = ADDRESS
            http.headers["authorization"] = f"Bearer {await self._log_in(http)}"
            meeting = await self._upload(http)
            until = time.monotonic() + minutes * 60
            async with asyncio.TaskGroup() as group:
                group.create_task(self._repeat(until, READ_EVERY_S, lambda: self._read(http, meeting)))
                group.create_task(self._repeat(until, LOGIN_EVERY_S, lambda: self._log_in(http)))
                group.create_task(self._repeat(until, UPLOAD_EVERY_S, lambda: self._upload(http)))
                group.create_task(self._stream(minutes))
        took_s = time.monotonic() - began
        self._work.cores = {
            name: round((processor_s(self._system, [name]) - before) / took_s, 3) for name, before in spent.items()
        }
        return self._work

    async def _repeat(self, until: float, pause_s: float, call: Callable[[], Awaitable[object]]) -> None:
        while time.monotonic() < until:
            await call()
            await asyncio.sleep(pause_s)

    async def _timed(self, kind: str, call: Awaitable[httpx.Response]) -> httpx.Response:
        began = time.monotonic()
        try:
            response = await call
        except httpx.HTTPError as error:
            self._work.refused[f"{kind}: {type(error).__name__}"] += 1
            raise
        if response.is_success:
            self._work.add(kind, time.monotonic() - began)
        else:
            self._work.refused[f"{kind}: {response.status_code} {response.text[:200]}"] += 1
        return response

    async def _log_in(self, http: httpx.AsyncClient) -> str:
        body = {"email": self._system.email, "password": self._system.password}
        response = await self._timed("login", http.post("/api-login", json=body))
        return str(response.json().get("token", ""))

    async def _read(self, http: httpx.AsyncClient, meeting: str) -> None:
        for path in READS:
            await self._timed("read", http.get(path, params={"file-hash": meeting}))

    async def _upload(self, http: httpx.AsyncClient) -> str:
        """Upload a recording and wait until its answers are there; return its hash."""
        began = time.monotonic()
        files = {"file": ("meeting.wav", recording(UPLOAD_S), "audio/wav")}
        response = await self._timed("upload", http.post(f"{S}/upload", files=files))
        file_hash = str(response.json().get("file_hash", ""))
        while response.is_success and time.monotonic() < began + READY_TIMEOUT_S:
            state = await self._timed("read", http.get(f"{M}/status", params={"file-hash": file_hash}))
            if state.json().get("status") in ("ready", "failed"):
                self._work.add("upload to answers", time.monotonic() - began)
                break
            await asyncio.sleep(0.25)
        return file_hash

    async def _stream(self, minutes: float) -> None:
        client = MeetraClient(self._system.gateway, email=self._system.email, password=self._system.password)
        async with client:
            lags = await LoadBot(sample_speech(minutes)).run(client)
        self._work.took["live turn"] = lags.all_turns()


def hostile_user(system: RunningSystem) -> tuple[str, str]:
    """Add a user of another organization; return its address and password."""
    email = "hostile@example.org"
    command = [sys.executable, "-m", "cli", "users", "add", email, "--organization", "Hostile", "--data"]
    said = subprocess.run([*command, str(system.data)], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return email, said.split("password ")[1].split()[0]


async def compare(system: RunningSystem, minutes: float) -> tuple[Work, Work, dict[str, int]]:
    """Work alone, and beside a hostile organization; return both and how that one was answered."""
    worker = Worker(system)
    alone = await worker.run(minutes)
    email, password = hostile_user(system)
    command = [
        sys.executable,
        "-m",
        "benchmarks.hostile_caller",
        system.gateway,
        email,
        password,
        str(minutes * 60 + 30),
    ]
    hostile = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE)
    await asyncio.sleep(10)
    beside = await worker.run(minutes)
    out, _ = await hostile.communicate()
    answers: dict[str, int] = json.loads(out)
    return alone, beside, answers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.abuse", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3, help="duration of each of the two runs, minutes")
    parser.add_argument("--logs", type=Path, help="copy the system's logs into this new folder")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    with running_system(ONE_PROXY) as system:
        alone, beside, answers = asyncio.run(compare(system, options.minutes))
        if options.logs:
            shutil.copytree(system.data / "logs", options.logs)
    before, after = alone.p95(), beside.p95()
    rows: dict[str, dict[str, Any]] = {}
    print(f"{'p95, seconds':<20}{'alone':>10}{'beside':>10}{'ratio':>8}{'calls':>8}")
    for kind in before:
        rows[kind] = {"alone_s": before[kind], "beside_s": after.get(kind), "calls": len(beside.took.get(kind, ()))}
        rows[kind]["ratio"] = after[kind] / before[kind] if kind in after else None
        print(
            f"{kind:<20}{before[kind]:>10.3f}{after.get(kind, float('nan')):>10.3f}"
            f"{rows[kind]['ratio'] or float('nan'):>8.2f}{rows[kind]['calls']:>8}"
        )
    print("refused:", dict(beside.refused) or "nothing", "(alone:", dict(alone.refused) or "nothing", end=")\n")
    print("the hostile organization:", answers)
    print("cores:", {name: (alone.cores[name], beside.cores.get(name)) for name in alone.cores})
    if options.json:
        took = {"alone_s": alone.took, "beside_s": beside.took}
        cores = {"alone": alone.cores, "beside": beside.cores}
        found = {"rows": rows, "refused": dict(beside.refused), "hostile": answers, "cores": cores}
        figures = {**found, "uploads": {name: of["upload to answers"] for name, of in took.items()}, **circumstances()}
        options.json.write_text(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

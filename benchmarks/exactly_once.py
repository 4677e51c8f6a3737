"""Short recordings at several API servers and workers with an S3 store: is each analysed once, and what does one cost?

python -m benchmarks.exactly_once [--recordings 500] [--apis 2] [--workers 1 2 3] [--seconds 4]
    [--batch-window-ms MS] [--engine-each] [--json FILE]

For each number of workers a fresh system: recordings are uploaded through the gateway, several at once. A recording
that was analysed twice would show in each of three counts: the attempts in its row, what the workers counted, and the
sessions and the audio of the engine, which all workers share.

All processes share the cores of the machine, so recordings a minute stop growing with workers where the engine has
all of them. What shows then whether workers are in each other's way is the processor time that a recording costs in the
workers, the APIs and the database, and its statements: what several cost more than one.

With ``--batch-window-ms`` the engine waits so long before each call of a model, as one that others share would have
them wait. A recording then takes its worker longer and costs no more, so that few cores have room for several workers,
and recordings a minute and worker show whether these are in each other's way. At the models of a single inference
server they are: --engine-each starts as many of those as workers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import numpy as np
import psutil
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.recordings import RATE_HZ, read_samples, write_wav
from benchmarks.running_system import ROOT, RunningSystem, circumstances, running_system
from benchmarks.statements import statement_log
from cli.free_port import free_port
from cli.server_programs import API, INFERENCE, WORKER, numbered
from meetra_client import ServiceUnavailable
from monitoring import METRICS_PATH, scrape
from tests.object_stores import BUCKET, ObjectServer

UPLOADS_AT_ONCE = 8
# Enough that what all processes do anyway, with or without recordings, weighs little.
COUNTED_RECORDINGS = 20
IDLE_S = 10.0
LOOK_EVERY_S = 0.1
AGAIN_AFTER_S = 1.0


class Counts(NamedTuple):
    """What was done since the system's start."""

    ready: int
    """Meetings with results."""
    attempts: int
    """Of the analyses of all meetings, by their rows."""
    queued: int
    """Jobs that are left."""
    analyses: Counter[str]
    """That workers ended, by outcome."""
    by_worker: Counter[str]
    uploads_by_api: Counter[str]
    sessions: Counter[str]
    """Of uploads that the engine ended, by outcome."""
    audio_s: float
    """That these sessions took."""

    def since(self, before: Counts) -> Counts:
        """What was done after ``before``."""
        pairs: Any = zip(self, before, strict=True)
        return Counts(*(now - then for now, then in pairs))


async def look(system: RunningSystem, owner: asyncpg.Connection[asyncpg.Record]) -> Counts:
    """Count, once no analysis runs: what one has done is counted a moment after its meeting is ready."""
    samples = await _samples(system)
    while any(value for name, _, value in samples if name == "meetra_analyses_running"):
        await asyncio.sleep(LOOK_EVERY_S)
        samples = await _samples(system)
    rows = await owner.fetchrow(
        "SELECT count(*) FILTER (WHERE status = 'ready') AS ready, coalesce(sum(attempts), 0)::int AS attempts,"
        " (SELECT count(*) FROM jobs) AS queued FROM meetings"
    )
    assert rows is not None
    analyses, by_worker, uploads, sessions, audio_s = (
        Counter[str](),
        Counter[str](),
        Counter[str](),
        Counter[str](),
        0.0,
    )
    for name, labels, value in samples:
        if name == "meetra_analyses_total":
            analyses[labels["outcome"]] += int(value)
            by_worker[labels["process"]] += int(value)
        elif name == "meetra_calls_total" and labels["method"].endswith("UploadMeeting"):
            uploads[labels["process"]] += int(value)
        elif name == "meetra_engine_sessions_ended_total" and labels["kind"] == "upload":
            sessions[labels["outcome"]] += int(value)
        elif name == "meetra_engine_audio_seconds_total" and labels["kind"] == "upload":
            audio_s += value
    ready, attempts, queued = rows.values()
    return Counts(ready, attempts, queued, analyses, by_worker, uploads, sessions, audio_s)


async def _samples(system: RunningSystem) -> list[tuple[str, dict[str, str], float]]:
    """The metrics of all processes: name, labels, value."""
    text = await asyncio.to_thread(scrape, system.metrics.removeprefix("http://").removesuffix(METRICS_PATH))
    families = text_string_to_metric_families(text)
    return [(sample.name, sample.labels, sample.value) for family in families for sample in family.samples]


class Excerpts:
    """Seeded excerpts of the sample meeting, no two alike."""

    def __init__(self, seconds: float, folder: Path) -> None:
        self._speech = read_samples(ROOT / "sample" / "meeting.flac")
        self._length, self._folder = int(seconds * RATE_HZ), folder
        self.seconds = self._length / RATE_HZ
        """Of each."""
        self._random, self._made = np.random.default_rng(18), 0

    def next(self) -> Path:
        """Write one more."""
        begin = int(self._random.integers(len(self._speech) - self._length))
        excerpt = self._speech[begin : begin + self._length].copy()
        self._made += 1
        # A mark, in its last two samples, so that it is a recording of its own.
        excerpt[-2:] = self._made % 256 / 32768, self._made // 256 / 32768
        return write_wav(excerpt, self._folder / f"{self._made}.wav")


def processor_s(system: RunningSystem, names: Sequence[str]) -> float:
    """Processor time of these processes so far, with the children that they have and had, seconds."""
    spent = 0.0
    for name in names:
        root = psutil.Process(system.pid(name))
        for process in (root, *root.children(recursive=True)):
            try:
                spent += sum(process.cpu_times()[:4])
            except psutil.NoSuchProcess:
                continue
    return spent


def machine_processor_s() -> float:
    """Processor time of all programs of this machine so far, seconds."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


async def analyse(
    system: RunningSystem, owner: asyncpg.Connection[asyncpg.Record], excerpts: Excerpts, recordings: int
) -> float:
    """Upload so many through the gateway and wait until none is left; seconds."""
    turn = asyncio.Semaphore(UPLOADS_AT_ONCE)
    before: int = await owner.fetchval("SELECT count(*) FROM meetings")
    began = time.perf_counter()
    async with system.client() as client:

        async def upload() -> None:
            async with turn:
                path = excerpts.next()
                while True:
                    try:
                        await client.upload(path, name=path.stem)
                        break
                    except ServiceUnavailable:
                        # What the machine does besides may keep a process from answering.
                        await asyncio.sleep(AGAIN_AFTER_S)
                path.unlink()

        await asyncio.gather(*(upload() for _ in range(recordings)))
    while (
        await owner.fetchval("SELECT count(*) FROM meetings WHERE status IN ('ready', 'failed')") < before + recordings
    ):
        await asyncio.sleep(LOOK_EVERY_S)
    return time.perf_counter() - began


async def statements_a_recording(
    system: RunningSystem,
    owner: asyncpg.Connection[asyncpg.Record],
    excerpts: Excerpts,
    recordings: int,
    idle_s: float = IDLE_S,
) -> dict[str, float]:
    """SQL statements that a recording costs all processes, and those of a second in which nothing is asked of them."""
    async with statement_log(system) as statements:
        idle = len(await statements.statements_of_all(lambda: asyncio.sleep(idle_s))) / idle_s
        took_s = 0.0

        async def call() -> None:
            nonlocal took_s
            took_s = await analyse(system, owner, excerpts, recordings)

        found = len(await statements.statements_of_all(call))
    return {
        "a_recording": round((found - idle * took_s) / recordings, 1),
        "a_second_idle": round(idle, 1),
        "took_s": round(took_s, 1),
    }


async def measure(
    system: RunningSystem,
    owner: asyncpg.Connection[asyncpg.Record],
    excerpts: Excerpts,
    recordings: int,
    apis: int,
    workers: int,
    engines: int,
) -> dict[str, Any]:
    """The figures of one system but its statements."""
    parts = {
        "workers": numbered(WORKER, workers),
        "apis": numbered(API, apis),
        "database": ["postgres"],
        "gateway": ["envoy"],
        "engine": numbered(INFERENCE, engines),
    }
    # What happens once, at the first recording, is no cost of one.
    await analyse(system, owner, excerpts, 1)
    before = await look(system, owner)
    spent, busy = {part: processor_s(system, names) for part, names in parts.items()}, machine_processor_s()
    took_s = await analyse(system, owner, excerpts, recordings)
    spent = {part: processor_s(system, names) - spent[part] for part, names in parts.items()}
    busy = machine_processor_s() - busy
    done = (await look(system, owner)).since(before)
    return {
        "workers": workers,
        "engines": engines,
        "recordings": recordings,
        "ready": done.ready,
        "attempts": done.attempts,
        "queued": done.queued,
        "analyses": dict(done.analyses),
        "sessions": dict(done.sessions),
        "audio_s": round(done.audio_s, 2),
        "expected_audio_s": round(recordings * excerpts.seconds, 2),
        "by_worker": dict(done.by_worker),
        "uploads_by_api": dict(done.uploads_by_api),
        "took_s": round(took_s, 1),
        "a_minute": round(60 * recordings / took_s, 1),
        "a_minute_and_worker": round(60 * recordings / took_s / workers, 1),
        "processor_s_a_recording": {part: round(value / recordings, 3) for part, value in spent.items()},
        "cores_of_the_engine": round(spent["engine"] / took_s, 2),
        "cores_of_all": round(sum(spent.values()) / took_s, 2),
        "cores_of_others": round((busy - sum(spent.values())) / took_s, 2),
        "load": [round(load, 1) for load in os.getloadavg()],
    }


async def run(
    system: RunningSystem, recordings: int, apis: int, workers: int, engines: int, excerpts: Excerpts
) -> dict[str, Any]:
    """All figures of one system."""
    owner = await asyncpg.connect(system.database_url)
    try:
        figures = await measure(system, owner, excerpts, recordings, apis, workers, engines)
        counted = min(recordings, COUNTED_RECORDINGS)
        return {**figures, "statements": await statements_a_recording(system, owner, excerpts, counted)}
    finally:
        await owner.close()


def analysed_once(figures: dict[str, Any]) -> bool:
    """Whether every recording was analysed, and none twice, by each of the counts."""
    number = figures["recordings"]
    return (
        (figures["ready"], figures["attempts"], figures["queued"]) == (number, number, 0)
        and figures["analyses"] == {"ready": number}
        and figures["sessions"] == {"finished": number}
        and abs(figures["audio_s"] - figures["expected_audio_s"]) < 0.01 * number
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exactly_once", description=__doc__)
    parser.add_argument("--recordings", type=int, default=500, help="of each number of workers")
    parser.add_argument("--apis", type=int, default=2)
    parser.add_argument(
        "--workers", type=int, nargs="+", default=[1, 2, 3], help="numbers of workers, one after another"
    )
    parser.add_argument("--engine-each", action="store_true", help="as many inference servers as workers")
    parser.add_argument("--seconds", type=float, default=4, help="length of each recording, seconds")
    parser.add_argument("--batch-window-ms", type=int, help="how long a call of a model waits for other work")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory(prefix="meetra-bench-store-") as folder:
        store = ObjectServer(Path(folder, "store"), free_port())
        store.start()
        try:
            for workers in options.workers:
                settings = {**store.environment, "MEETRA_AUDIO_STORE": f"s3://{BUCKET}/{workers}"}
                if options.batch_window_ms is not None:
                    settings["MEETRA_INFERENCE_BATCH_WINDOW_MS"] = str(options.batch_window_ms)
                engines = workers if options.engine_each else 1
                numbers = ["--apis", str(options.apis), "--workers", str(workers), "--inference", str(engines)]
                with running_system(settings, numbers) as system:
                    excerpts = Excerpts(options.seconds, Path(folder))
                    found.append(asyncio.run(run(system, options.recordings, options.apis, workers, engines, excerpts)))
                print(json.dumps(found[-1], indent=2), flush=True)
        finally:
            store.kill()
    if options.json:
        options.json.write_text(json.dumps({"systems": found, **circumstances()}, indent=2) + "\n")
    return 0 if all(map(analysed_once, found)) else 1


if __name__ == "__main__":
    sys.exit(main())

"""What live audio costs on a disk, and with an object store by each policy: time to acknowledge, requests, bytes.

    python -m benchmarks.live_store [--meetings 8] [--tracks 2] [--seconds 60] [--json FILE]

Meetings of tracks of PCM at 16 kHz are received in chunks of 20 ms in real time by one process, through the code that
the API has between a client and its acknowledgement, without clients, network, engine and database. The object store is
an S3-compatible server (nanio) on this machine. Time is from a chunk's arrival to the moment at which it counts as
durable; processor time is that of this process, with threads, and of the store's. Requests to write (segments, joined
ones) and to look (for the mark that a later holder leaves) are counted where they are made, and so are bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psutil
import uvloop

from benchmarks.running_system import circumstances
from cli.free_port import free_port
from server.audio import AudioLog, Encoding, ObjectStore, TrackFormat
from server.disk import DiskReserve
from server.live.config import LiveTrack, TrackKind
from server.live.segment_sender import SegmentRules, SegmentSender
from server.live.source_log import TrackLog
from server.live.stored_audio import StoredAudio
from server.live.track_log import MeetingAudio
from tests.object_stores import ObjectServer

RATE_HZ, CHUNK_S = 16_000, 0.02
ORGANIZATION = UUID(int=1)
POLICIES: dict[str, SegmentRules | None] = {
    "disk alone": None,
    "local, 5 s": SegmentRules(5.0, acknowledges=False),
    "remote, 0.5 s": SegmentRules(0.5, acknowledges=True),
    "remote, 1 s": SegmentRules(1.0, acknowledges=True),
}


class Counted:
    """The requests of an object store, and what they carry."""

    def __init__(self, store: ObjectStore) -> None:
        self.requests, self.bytes = Counter[str](), 0
        self._put, self._find = store.put_bytes, store.find
        store.put_bytes = self._put_bytes  # type: ignore[method-assign]
        store.find = self._count("looks", self._find)  # type: ignore[method-assign, assignment]
        store.delete = self._count("deletions", store.delete)  # type: ignore[method-assign, assignment]

    async def _put_bytes(self, key: str, data: bytes) -> None:
        self.requests["writes"] += 1
        self.bytes += len(data)
        await self._put(key, data)

    def _count(self, kind: str, call: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
        async def counted(asked: Any) -> Any:
            self.requests[kind] += 1
            return await call(asked)

        return counted


class Meeting:
    """One meeting that is received."""

    def __init__(self, log: AudioLog, tracks: int, rules: SegmentRules | None, syncing: ThreadPoolExecutor) -> None:
        file_hash = uuid4().hex * 2
        folder, store = log.folder(ORGANIZATION, file_hash), log.live.store(ORGANIZATION, file_hash)
        stored = None
        if rules is not None and store is not None:
            sender = SegmentSender(store, folder, rules)
            stored = StoredAudio(store, folder, DiskReserve(log.root, 0), sender)
        self.audio = MeetingAudio([], log.live_holder(ORGANIZATION, file_hash), syncing, stored)
        pcm = TrackFormat(Encoding.PCM_S16LE, RATE_HZ, 1)
        sources = [LiveTrack(f"t{number}", TrackKind.PARTICIPANT, "", pcm, 0) for number in range(tracks)]
        paths = [log.live_track(ORGANIZATION, file_hash, number) for number in range(tracks)]
        self._logs = [TrackLog(source, path) for source, path in zip(sources, paths, strict=True)]
        self.delays: list[float] = []

    async def receive(self, seconds: float) -> None:
        """Receive audio in real time, and measure when it is durable."""
        await self.audio.open(1)
        await self.audio.create(self._logs)
        self.audio.add(self._logs)
        await self.audio.begin()
        arrived: list[tuple[int, float]] = []
        watching = asyncio.create_task(self._watch(arrived))
        samples = round(RATE_HZ * CHUNK_S)
        chunk = np.random.default_rng(1).integers(-3000, 3000, samples).astype("<i2").tobytes()
        began = time.monotonic()
        for number in range(round(seconds / CHUNK_S)):
            await asyncio.sleep(max(0.0, began + number * CHUNK_S - time.monotonic()))
            for log in self._logs:
                await self.audio.append(log, chunk)
            arrived.append(((number + 1) * samples, time.monotonic()))
        await self.audio.wait_until_committed()
        while len(self.delays) < len(arrived):
            await asyncio.sleep(CHUNK_S)
        watching.cancel()
        await self.audio.close()

    async def _watch(self, arrived: list[tuple[int, float]]) -> None:
        while True:
            await self.audio.wait_for_commit([log.committed for log in self._logs])
            now, durable = time.monotonic(), min(log.committed for log in self._logs)
            while len(self.delays) < len(arrived) and arrived[len(self.delays)][0] <= durable:
                self.delays.append(now - arrived[len(self.delays)][1])


async def measure(
    root: Path, store: ObjectStore, process: psutil.Process, rules: SegmentRules | None, options: argparse.Namespace
) -> dict[str, object]:
    """Figures of one policy."""
    counted, log = Counted(store), AudioLog(root, store)
    spent, of_store = time.process_time(), _seconds(process)
    with ThreadPoolExecutor(8) as syncing:
        meetings = [Meeting(log, options.tracks, rules, syncing) for _ in range(options.meetings)]
        await asyncio.gather(*(meeting.receive(options.seconds) for meeting in meetings))
    hours = options.meetings * options.seconds / 3600
    delays = np.array([delay for meeting in meetings for delay in meeting.delays])
    return {
        "acknowledged_p50_s": round(float(np.percentile(delays, 50)), 3),
        "acknowledged_p95_s": round(float(np.percentile(delays, 95)), 3),
        "acknowledged_most_s": round(float(delays.max()), 3),
        "a_meeting_and_hour": {name: round(count / hours) for name, count in sorted(counted.requests.items())},
        "sent_of_audio": round(counted.bytes / (hours * 3600 * options.tracks * RATE_HZ * 2), 2),
        "processor_ms_a_meeting_and_second": round(1000 * (time.process_time() - spent) / (hours * 3600), 2),
        "of_the_store_ms": round(1000 * (_seconds(process) - of_store) / (hours * 3600), 2),
    }


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> int:
    """Measure and print; 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_store", description=__doc__)
    parser.add_argument("--meetings", type=int, default=8, help="meetings at once")
    parser.add_argument("--tracks", type=int, default=2, help="tracks of each")
    parser.add_argument("--seconds", type=float, default=60, help="length of each")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    figures: dict[str, object] = {}
    with TemporaryDirectory() as folder:
        server = ObjectServer(Path(folder) / "objects", free_port())
        server.start()
        try:
            os.environ.update(server.environment)
            for number, (policy, rules) in enumerate(POLICIES.items()):
                measured = measure(Path(folder) / str(number), server.fresh(), server.process, rules, options)
                figures[policy] = uvloop.run(measured)
                print(policy, json.dumps(figures[policy], indent=1), flush=True)
        finally:
            server.kill()
    if options.json:
        options.json.write_text(json.dumps({"policies": figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

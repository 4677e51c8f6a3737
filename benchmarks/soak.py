"""Does anything stay behind? Streams opened, cancelled, abandoned and finished, for a long time.

    python -m benchmarks.soak [--minutes 20] [--streams 200] [--json FILE]

Waves of --streams meetings at once. Of every four one is finished, one is cut, resumed and finished, one is
cut and left to the grace period, and one is cut before its first sample. After each wave everything is
waited for. Compared are the first waves, when every cache is warm, and the last: resident memory,
file descriptors, threads and asyncio tasks of the API and the inference server, and connections to PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psutil
from grpc import StatusCode, aio
from meetra.v1 import live_pb2 as pb
from meetra.v1 import live_pb2_grpc

from benchmarks.recordings import sample_speech
from benchmarks.running_system import RunningSystem, circumstances, running_system

# Longer than a busy machine needs to serve a whole wave once.
GRACE_S = 20
AUDIO_S = 1.0
CHUNK_BYTES = 6400
PROCESSES = ("api", "inference", "envoy")
# Waves before everything that is kept on purpose is there.
WARM_UP_WAVES = 3
SETTLED_WITHIN_S = 240
CONFIG = pb.LiveConfig(
    name="soak",
    tracks=[
        pb.TrackConfig(
            track_id="mix",
            kind=pb.TRACK_KIND_MIXED,
            encoding=pb.AUDIO_ENCODING_PCM_S16LE,
            sample_rate_hz=16_000,
        )
    ],
)


class Bots:
    """Streams on one channel."""

    def __init__(self, stub: Any, metadata: tuple[tuple[str, str], ...], audio: bytes) -> None:
        self._stub, self._metadata, self._audio = stub, metadata, audio
        self.refused = 0
        """Streams that were told to try again."""

    async def run(self, kind: int) -> None:
        """One stream of the kind: finished, cut and resumed, abandoned, cut at once."""
        session_id = await self._welcome(CONFIG, audio=kind < 3, finish=kind == 0)
        if kind == 1:
            resumed = pb.LiveConfig(session_id=session_id, take_over=True)
            await self._welcome(resumed, audio=True, finish=True)

    async def _welcome(self, config: pb.LiveConfig, *, audio: bool, finish: bool) -> str:
        """A stream that is sent again until the machine has room for it, as every bot must."""
        while True:
            try:
                return await self._stream(config, audio=audio, finish=finish)
            except aio.AioRpcError as error:
                if error.code() != StatusCode.UNAVAILABLE:
                    raise
                self.refused += 1
                await asyncio.sleep(2)

    async def _stream(self, config: pb.LiveConfig, *, audio: bool, finish: bool) -> str:
        call = self._stub.StreamMeeting(metadata=self._metadata)
        try:
            await call.write(pb.StreamMeetingRequest(config=config))
            ready = (await call.read()).ready
            if audio:
                offset = ready.tracks[0].next_sample * 2
                while offset < len(self._audio):
                    data = self._audio[offset : offset + CHUNK_BYTES]
                    chunk = pb.AudioChunk(track_id="mix", first_sample=offset // 2, data=data)
                    await call.write(pb.StreamMeetingRequest(audio=chunk))
                    offset += len(data)
            if finish:
                await call.write(pb.StreamMeetingRequest(control=pb.CONTROL_FINISH))
                while (response := await call.read()) is not aio.EOF:
                    if response.event.HasField("finished"):
                        assert response.event.finished.status == "ready", response
            session: str = ready.session_id
            return session
        finally:
            call.cancel()


async def wait_until_settled(connection: asyncpg.Connection[Any]) -> None:
    """Returns once every meeting has told its end. Raises TimeoutError."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while await connection.fetchval("SELECT count(*) FROM live_meetings WHERE NOT concluded"):
        if time.monotonic() > deadline:
            raise TimeoutError("meetings of the wave did not finish in time")
        await asyncio.sleep(0.5)
    # What is concluded is let go of at the next look.
    await asyncio.sleep(5)


async def read_resources(system: RunningSystem, connection: asyncpg.Connection[Any]) -> dict[str, float]:
    """What the processes hold now."""
    found: dict[str, float] = {}
    for name in PROCESSES:
        process = psutil.Process(system.pid(name))
        found[f"{name} rss MB"] = round(process.memory_info().rss / 1e6, 1)
        found[f"{name} fds"] = process.num_fds()
        found[f"{name} threads"] = process.num_threads()
        if name != "envoy":
            found[f"{name} tasks"] = await _tasks(system, name)
    # One is ours.
    found["postgres connections"] = await connection.fetchval("SELECT count(*) FROM pg_stat_activity") - 1
    return found


async def _tasks(system: RunningSystem, name: str) -> int:
    """Tasks as the process itself counts them when it is asked (SIGUSR1)."""
    log = system.data / "logs" / f"{name}.log"
    before = log.stat().st_size
    os.kill(system.pid(name), signal.SIGUSR1)
    for _ in range(100):
        await asyncio.sleep(0.1)
        if match := re.search(rb"holds: tasks (\d+)", log.read_bytes()[before:]):
            return int(match[1])
    raise TimeoutError(f"{name} did not log what it holds")


async def measure(minutes: float, streams: int) -> dict[str, Any]:
    """The figures."""
    os.environ["MEETRA_LIVE_GRACE_S"] = str(GRACE_S)
    audio = sample_speech(1 / 60 * AUDIO_S).astype("<i2").tobytes()
    readings: list[dict[str, float]] = []
    refused = 0
    with running_system() as system:
        async with system.client() as client:
            metadata = (("authorization", f"Bearer {await client.token()}"),)
        connection = await asyncpg.connect(system.database_url)
        deadline = time.monotonic() + minutes * 60
        try:
            while time.monotonic() < deadline or len(readings) <= WARM_UP_WAVES:
                async with aio.insecure_channel(urlsplit(system.gateway).netloc) as channel:
                    bots = Bots(live_pb2_grpc.LiveServiceStub(channel), metadata, audio)
                    async with asyncio.TaskGroup() as group:
                        for index in range(streams):
                            group.create_task(bots.run(index % 4))
                refused += bots.refused
                await wait_until_settled(connection)
                readings.append(await read_resources(system, connection))
                print(f"wave {len(readings)}: {readings[-1]}", flush=True)
        finally:
            await connection.close()
    early = readings[WARM_UP_WAVES : 2 * WARM_UP_WAVES] or readings[-1:]
    late = readings[-WARM_UP_WAVES:]
    rows = {
        name: {"first": median(r[name] for r in early), "last": median(r[name] for r in late)} for name in readings[0]
    }
    return {"waves": len(readings), "streams_a_wave": streams, "minutes": minutes, "refused": refused, "rows": rows}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="time during which waves are started, minutes")
    parser.add_argument("--streams", type=int, default=200, help="number of concurrent streams per wave")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.minutes, options.streams))
    print(f"{figures['waves']} waves of {options.streams} streams, {figures['refused']} told to try again")
    print(f"{'':<26}{'first':>10}{'last':>10}")
    for name, row in figures["rows"].items():
        print(f"{name:<26}{row['first']:>10.1f}{row['last']:>10.1f}")
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Random input at every door: calls of every RPC, conversations with the live service, recordings for the decoder.

    python -m benchmarks.fuzz [--minutes 20] [--seed 1] [--keep FOLDER] [--json FILE]

A fault is an answer that no documentation allows (INTERNAL, UNKNOWN, UNAVAILABLE, none at all, or one that shows our
insides), a decoder that fails on a recording instead of refusing it, a process that ends, or an error in a log.
``--keep``: where recordings at which the decoder failed are kept. The exit code is 1 where a fault was found.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import grpc
import httpx

from benchmarks.fuzzed_calls import CallFuzzer, methods
from benchmarks.fuzzed_media import damage, recordings
from benchmarks.fuzzed_messages import MessageFuzzer
from benchmarks.recordings import sample_speech
from benchmarks.running_system import ROOT, RunningSystem, circumstances, running_system
from server.audio import UnusableRecording, decode, probe

PROCESSES = ("postgres", "inference", "api", "worker", "envoy")
ERRORS = re.compile(r"Traceback|\bERROR\b|\bFATAL\b|\bPANIC\b|\[critical\]")
# A call that was given up, the first look at a database that starts, and a client that left while it was written to.
HARMLESS = re.compile(
    r"canceling statement due to user request|the database system is starting up|ExecuteBatchError raised in core"
)
# Of a decoded recording, seconds; damaged headers claim hours.
MAX_DECODED_S = 600.0
# Calls at once.
CALLERS = 4


@dataclass
class Found:
    """What was tried, and what was wrong."""

    tried: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)


async def known_values(system: RunningSystem, token: str) -> dict[str, list[Any]]:
    """Upload the sample meeting; return values that get past the first checks, by field name."""
    sample = ROOT / "sample" / "meeting.flac"
    async with httpx.AsyncClient(base_url=system.gateway, timeout=120) as http:
        http.headers["authorization"] = f"Bearer {token}"
        files = {"file": ("meeting.flac", sample.read_bytes(), "audio/flac")}
        uploaded = (await http.post("/single-feature-api/upload", files=files)).json()
        tracks = [{"track_id": "mix", "kind": "TRACK_KIND_MIXED", "encoding": "AUDIO_ENCODING_PCM_S16LE"}]
        body = {"name": "fuzz", "tracks": [{**tracks[0], "sample_rate_hz": 16_000}]}
        ready = (await http.post("/single-feature-api/live", json=body)).json()["ready"]
    return {
        "file_hash": [uploaded["file_hash"]],
        "session_id": [ready["session_id"]],
        "owner": [int(ready["owner"])],
        "track_id": ["mix"],
        "first_sample": [0],
        "email": [system.email],
        "sample_rate_hz": [16_000],
    }


async def fuzz_calls(system: RunningSystem, until: float, seed: int, found: Found) -> None:
    """Call every RPC in turn, and hold conversations with the live service, until a moment."""
    body = {"email": system.email, "password": system.password}
    token = httpx.post(f"{system.gateway}/api-login", json=body, timeout=60).json()["token"]
    known = await known_values(system, token)
    doors = methods()

    lock = threading.Lock()

    def caller(number: int) -> None:
        with grpc.insecure_channel(urlsplit(system.gateway).netloc) as channel:
            fuzzer = CallFuzzer(channel, token, seed * 1000 + number, known)
            turn = number
            while time.monotonic() < until:
                fuzzer.converse() if turn % 4 == 0 else fuzzer.call(doors[turn % len(doors)])
                turn += 1
        with lock:
            found.tried.update({f"calls {code}": count for code, count in fuzzer.answers.codes.items()})
            found.faults.update(fuzzer.answers.faults)

    await asyncio.gather(*(asyncio.to_thread(caller, number) for number in range(CALLERS)))


async def fuzz_media(until: float, seed: int, keep: Path | None, found: Found) -> None:
    """Decode damaged recordings until a moment."""
    fuzzer, originals = MessageFuzzer(seed), recordings(sample_speech(0.05))

    async def ignore(_: float) -> None:
        return

    async def whole(source: Path, folder: Path) -> str:
        await probe(source)
        try:
            await decode(source, folder / "audio.pcm", MAX_DECODED_S, ignore)
        except UnusableRecording:
            return "refused"
        return "decoded"

    while time.monotonic() < until:
        with TemporaryDirectory(prefix="meetra-fuzz-") as name:
            folder = Path(name)
            kind = damage(fuzzer, originals, folder / "original")
            try:
                found.tried[f"recordings {await whole(folder / 'original', folder)}"] += 1
            except Exception as error:
                # Whatever it is, it is the fault that is looked for.
                found.faults.setdefault(f"decoder, {kind}: {error!r}", f"{len(found.faults)}.bin")
                if keep is not None:
                    (keep / f"{len(found.faults) - 1}.bin").write_bytes((folder / "original").read_bytes())


def log_errors(data: Path) -> dict[str, str]:
    """Return the errors in the logs, each kind once, with a line that holds it."""
    errors: dict[str, str] = {}
    for path in sorted(data.rglob("*.log")):
        for line in path.read_text(errors="replace").splitlines():
            if ERRORS.search(line) and not HARMLESS.search(line) and path.name != "access.log":
                errors.setdefault(f"{path.name}: " + re.sub(r"[0-9a-f]{8,}|\d+", "#", line)[:160], line[:400])
    return errors


async def fuzz(system: RunningSystem, minutes: float, seed: int, keep: Path | None) -> Found:
    """Try everything for so long."""
    found, until = Found(), time.monotonic() + minutes * 60
    before = {name: system.pid(name) for name in PROCESSES}
    work: list[Callable[[], Awaitable[None]]] = [
        lambda: fuzz_calls(system, until, seed, found),
        lambda: fuzz_media(until, seed, keep, found),
    ]
    await asyncio.gather(*(start() for start in work))
    for name, pid in before.items():
        if system.pid(name) != pid:
            found.faults[f"{name} ended"] = "see its log"
    found.faults.update(log_errors(system.data))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="duration, minutes")
    parser.add_argument("--seed", type=int, default=1, help="of the random input")
    parser.add_argument("--keep", type=Path, help="keep recordings at which the decoder failed in this folder")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    with running_system() as system:
        found = asyncio.run(fuzz(system, options.minutes, options.seed, options.keep))
    for name, count in sorted(found.tried.items()):
        print(f"{count:>8}  {name}")
    print(f"{len(found.faults)} kinds of fault")
    for name, example in found.faults.items():
        print(f"  {name}\n      {example}")
    if options.json:
        figures = {"tried": found.tried, "faults": found.faults, "seed": options.seed, **circumstances()}
        options.json.write_text(json.dumps(figures, indent=2))
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())

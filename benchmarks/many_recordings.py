"""Many short good recordings at once, several analysed at a time: none may fail, and no child may die.

python -m benchmarks.many_recordings [--recordings 400] [--workers 4] [--seconds 6] [--json FILE]

Each recording starts two children beside live gRPC streams: a probe in the API, a decoder in the worker. The product
tries a decoder that died once more, so those that died are counted by themselves, from what the worker wrote.
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
from pathlib import Path
from typing import Any

from benchmarks.recordings import RATE_HZ, read_samples, write_wav
from benchmarks.running_system import ROOT, RunningSystem, circumstances, running_system

UPLOADS_AT_ONCE = 4
# What the worker writes of a decoder that died.
OBITUARY = "ended without an answer"


async def measure(system: RunningSystem, recordings: int, seconds: float) -> dict[str, Any]:
    """The figures."""
    speech = read_samples(ROOT / "sample" / "meeting.flac")[: int(seconds * RATE_HZ)]
    turn = asyncio.Semaphore(UPLOADS_AT_ONCE)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        async with system.client() as client:

            async def upload(number: int) -> str:
                # Each differs in its last sample, so that it is a recording of its own.
                speech[-1] = number / 32768
                path = write_wav(speech, Path(folder, f"{number}.wav"))
                async with turn:
                    receipt = await client.upload(path, name=path.stem)
                path.unlink()
                return receipt.file_hash

            async def outcome(file_hash: str) -> tuple[str, str]:
                async for state in client.states(file_hash):
                    last = state
                return last.status, last.message

            hashes = await asyncio.gather(*(upload(number) for number in range(recordings)))
            uploaded_s = time.perf_counter() - began
            # One after another: those that are asked for later are done meanwhile.
            outcomes = [await outcome(file_hash) for file_hash in hashes]
    died = (system.data / "logs" / "worker.log").read_text(errors="replace").count(OBITUARY)
    return {
        "recordings": recordings,
        "failed": sum(status != "ready" for status, _ in outcomes),
        "decoders_died": died,
        "reasons": Counter(message for status, message in outcomes if status != "ready"),
        "uploads_s": round(uploaded_s, 1),
        "all_ready_s": round(time.perf_counter() - began, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_recordings", description=__doc__)
    parser.add_argument("--recordings", type=int, default=400)
    parser.add_argument("--workers", type=int, default=4, help="number of recordings analysed concurrently")
    parser.add_argument("--seconds", type=float, default=6, help="length of each recording, seconds")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    os.environ["MEETRA_WORKER_CONCURRENCY"] = str(options.workers)
    with running_system() as system:
        figures = asyncio.run(measure(system, options.recordings, options.seconds))
    figures = {"workers": options.workers, "seconds": options.seconds, **figures}
    for name, value in figures.items():
        print(f"{name:<16}{value}")
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 1 if figures["failed"] or figures["decoders_died"] else 0


if __name__ == "__main__":
    sys.exit(main())

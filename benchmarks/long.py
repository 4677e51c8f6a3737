"""Does a long meeting cost more than a short one? Time and memory from ten minutes to four hours.

    python -m benchmarks.long [--minutes 10 60 240] [--json FILE]

Each length is uploaded to a fresh system. ``rtf`` is the time from the accepted upload to the finished meeting over the
length; ``processor_s_per_s`` is the processor time that the engine, the worker with its decoders, and the API took for
a second of it, which other programs on the machine hardly change; ``peak_rss_mb`` is the most resident memory that
these processes held at the same moment.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.peak_memory import PeakMemory
from benchmarks.recordings import dialogues, temporary_folder, write_flac
from benchmarks.running_system import circumstances, running_system
from benchmarks.throughput import analyse, processor_s

PROCESSES = ("inference", "worker", "api")


async def measure(minutes: float, folder: Path) -> dict[str, Any]:
    """The row of one length."""
    path = write_flac(dialogues(minutes), folder / f"{minutes:g}.flac")
    with running_system() as system:
        async with system.client() as client:
            await analyse(client, write_flac(dialogues(0.5), folder / "warm-up.flac"))
            pids = {name: system.pid(name) for name in PROCESSES}
            memory, before_s = PeakMemory(pids), sum(map(processor_s, pids.values()))
            took = await analyse(client, path)
            spent_s = sum(map(processor_s, pids.values())) - before_s
            memory.stop()
    peaks = {f"{name}_peak_mb": round(peak / 1e6) for name, peak in memory.peak.items()}
    times = {"rtf": round(took / minutes / 60, 4), "processor_s_per_s": round(spent_s / minutes / 60, 4)}
    return {"minutes": minutes, **times, "peak_rss_mb": round(memory.together / 1e6), **peaks}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, nargs="+", default=[10, 60, 240], help="lengths of the recordings, minutes"
    )
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    rows = []
    with temporary_folder() as folder:
        for minutes in options.minutes:
            rows.append(asyncio.run(measure(minutes, folder)))
            print(json.dumps(rows[-1]), flush=True)
    keys = ("rtf", "processor_s_per_s", "peak_rss_mb")
    spread = {key: max(r[key] for r in rows) / min(r[key] for r in rows) - 1 for key in keys}
    print("largest over smallest: " + ", ".join(f"{key} +{share:.0%}" for key, share in spread.items()))
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

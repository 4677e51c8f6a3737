"""Does a long meeting cost more than a short one? Time and memory from ten minutes to four hours.

    python -m benchmarks.long [--minutes 10 60 240] [--json FILE]

Each length is uploaded to a fresh system. ``rtf`` is the time from the accepted upload to the finished meeting over the
length; ``peak_rss_mb`` is the most resident memory that the processes of the engine, the worker with its decoder,
and the API held at the same moment.
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
from benchmarks.throughput import analyse

PROCESSES = ("inference", "worker", "api")


async def measure(minutes: float, folder: Path) -> dict[str, Any]:
    """The row of one length."""
    path = write_flac(dialogues(minutes), folder / f"{minutes:g}.flac")
    with running_system() as system:
        async with system.client() as client:
            await analyse(client, write_flac(dialogues(0.5), folder / "warm-up.flac"))
            memory = PeakMemory({name: system.pid(name) for name in PROCESSES})
            took = await analyse(client, path)
            memory.stop()
    peaks = {f"{name}_peak_mb": round(peak / 1e6) for name, peak in memory.peak.items()}
    rtf = round(took / minutes / 60, 4)
    return {"minutes": minutes, "rtf": rtf, "peak_rss_mb": round(memory.together / 1e6), **peaks}


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
    spread = {key: max(r[key] for r in rows) / min(r[key] for r in rows) - 1 for key in ("rtf", "peak_rss_mb")}
    print(f"largest over smallest: rtf +{spread['rtf']:.0%}, memory +{spread['peak_rss_mb']:.0%}")
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

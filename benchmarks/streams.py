"""How many live meetings a machine holds in real time, beside what its models alone would allow.

    python -m benchmarks.streams [--minutes 10] [--streams N] [--json FILE]

The bound is the number of processors over the models' own processor time for a second of the same
audio in one live session, measured alone at the beginning of the run: on every processor at once, as they
share caches and memory, and without anything around them. Held are as many streams as are told every turn,
partial and with all their words, with a p95 lag under 2 s for the whole time. Without --streams the search begins
at four fifths of the bound, rounded up, and goes down.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import sys
from pathlib import Path
from statistics import fmean
from typing import Any

import uvloop

from benchmarks.live_load import KINDS, percentiles, rotated, run_bots
from benchmarks.model_cost import measured
from benchmarks.recordings import RATE_HZ, sample_speech
from benchmarks.running_system import circumstances, running_system

MAX_P95_S = 2.0


def _cost(minutes: float) -> dict[str, float]:
    """Processor seconds of each model for a second of audio."""
    pcm = sample_speech(minutes)
    return {name: seconds * RATE_HZ / len(pcm) for name, seconds in measured(pcm, live=True).spent.items()}


async def hold(streams: int, minutes: float) -> dict[str, Any]:
    """So many streams for so long."""
    with running_system() as system:
        lags = await run_bots(system, rotated(sample_speech(minutes), streams))
    kinds = {kind: percentiles(getattr(lags, kind)) for kind in KINDS}
    return {"streams": streams, "p95_lag_s": percentiles(lags.all_turns())["p95_s"], **kinds}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="duration of each trial, minutes")
    parser.add_argument("--streams", type=int, help="try only this number of streams")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        costs = pool.map(_cost, [options.minutes] * cores)
    cost = {name: fmean(one[name] for one in costs) for name in costs[0]}
    bound = cores / sum(cost.values())
    print("processor seconds a second of audio, models alone:")
    for name, seconds in cost.items():
        print(f"  {name:<20}{seconds:>8.4f}")
    print(f"bound: {bound:.2f} streams on {cores} processors", flush=True)
    wanted = options.streams or math.ceil(0.8 * bound)
    row: dict[str, Any] = {}
    tried = []
    for streams in range(wanted, 0, -1):
        row = uvloop.run(hold(streams, options.minutes))
        tried.append(row)
        print(f"{streams} streams for {options.minutes:g} min: p95 lag {row['p95_lag_s']:.2f} s", row, flush=True)
        if options.streams or row["p95_lag_s"] < MAX_P95_S:
            break
    figures = {
        "streams": row["streams"],
        "bound": round(bound, 2),
        "ratio": round(row["streams"] / bound, 3),
        "p95_lag_s": row["p95_lag_s"],
        "minutes": options.minutes,
        "model_seconds_per_second": {name: round(seconds, 4) for name, seconds in cost.items()},
        "tried": tried,
    }
    print({name: figures[name] for name in ("streams", "bound", "ratio", "p95_lag_s")})
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

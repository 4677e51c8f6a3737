"""How soon a live meeting tells what was said: one stream, and several at once.

    python -m benchmarks.latency [--streams 1 6] [--minutes 3] [--json FILE]

Every lag counts from the moment at which a turn's (or word's) last sample was sent, in real time, to
the arrival of the event that tells it. partial: turns while they grow; again: the same turns told again and no more of
them, with an end moved back to where another speaks on, or another speaker; turn_end: that somebody has
paused; change: that somebody has stopped, and another speaks on; told: turns with words of all of
them, for the first time; stable: the same turns, once their speaker is as sure as it can be; word: each
word, to the first event that tells a word at its place, provisional as it may be; final_word: each word,
to the watermark that says that it is final; finish: from FINISH to the last event.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.live_load import KINDS, percentiles, rotated, run_bots
from benchmarks.recordings import sample_speech
from benchmarks.running_system import circumstances, running_system


async def measure(streams: list[int], minutes: float) -> list[dict[str, Any]]:
    """A row for each number of streams."""
    rows = []
    pcm = sample_speech(minutes)
    with running_system() as system:
        for count in streams:
            lags = await run_bots(system, rotated(pcm, count))
            row: dict[str, Any] = {"streams": count, **{kind: percentiles(getattr(lags, kind)) for kind in KINDS}}
            rows.append(row)
            columns = "".join(f"{row[k]['p50_s']:>16.2f}{row[k]['p95_s']:>8.2f}" for k in KINDS)
            print(f"{count:>7}{columns}", flush=True)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument(
        "--streams", type=int, nargs="+", default=[1, 6], help="numbers of concurrent streams, tried in turn"
    )
    parser.add_argument("--minutes", type=float, default=3, help="length of the meetings, minutes")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    print(f"{'streams':>7}" + "".join(f"{kind + ' p50':>16}{'p95 s':>8}" for kind in KINDS))
    rows = asyncio.run(measure(options.streams, options.minutes))
    if options.json:
        options.json.write_text(
            json.dumps({"rows": rows, "minutes": options.minutes, **circumstances()}, indent=2) + "\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

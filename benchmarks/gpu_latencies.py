"""Streams held by latency setting: briefly, with few sizes of passes compiled."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.gpu_runs import Bench, find_held, measure_steps
from benchmarks.gpu_trials import StreamTrial


def measure_latencies(first: Bench, others: Sequence[str], left_s: Callable[[], float]) -> None:
    """Measure each latency with a diarizer of its own, and print one table of all with ``first``'s, already measured.

    Args:
        first: what was measured whole.
        others: names of latencies.
        left_s: seconds left for all of them.
    """
    report, options = first.report, first.options
    trials = [row for row in report.found.get("trials", []) if row["queue"] == "batched" and row["held"]]
    rows = [_row(first.latency, report.found["steps"], max(trials, key=lambda row: int(row["streams"]), default=None))]
    report.add("latencies", rows)
    for number, latency in enumerate(others):
        left = left_s()
        if left <= 0:
            report.append("left_out", {"part": f"latency {latency}", "reason": "time is up"})
            continue
        until = time.monotonic() + left / (len(others) - number)
        largest = options.largest
        bench = Bench(options, report, first.device, latency, sorted({1, min(32, largest), largest}))
        speeds = measure_steps(bench, sorted({1, options.batch[-1]}))
        held = _held(bench, speeds, until)
        steps = [row for row in report.found["steps"] if row["latency"] == latency]
        report.append("latencies", _row(latency, steps, held))
    print("\nlatency   step of 1   step of most   streams held   p99 lag")
    for row in report.found["latencies"]:
        lag = "never" if row["p99_lag_s"] is None else f"{row['p99_lag_s']:.2f} s"
        print(
            f"{row['latency']:7} {row['step_one_s'] * 1e3:8.1f} ms {row['step_most_s'] * 1e3:11.1f} ms "
            f"{row['streams']:14} {lag:>9}",
            flush=True,
        )


def _held(bench: Bench, speeds: dict[str, float], until: float) -> dict[str, Any] | None:
    if bench.options.steps_only:
        return None
    found = find_held(bench, speeds, lambda: time.monotonic() < until, ("batched",))["batched"]
    return _as_row(found) if found and found.held else None


def _as_row(trial: StreamTrial) -> dict[str, Any]:
    return {"streams": trial.streams, "p99_lag_s": trial.p99_lag_s}


def _row(latency: str, steps: Sequence[dict[str, Any]], held: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "latency": latency,
        "step_one_s": steps[0]["usual_s"],
        "step_most_s": steps[-1]["usual_s"],
        "streams": held["streams"] if held else 0,
        "p99_lag_s": held["p99_lag_s"] if held else None,
    }

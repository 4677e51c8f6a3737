"""What batching is worth to the frame diarizer: the time of a step by batch size, and live streams held in real time.

A Sortformer of the published size with random weights: what it costs does not depend on what it has learned. With its
defaults it takes less than four minutes of a GPU, compiling apart. Of packages that do not come with Python it needs
torch, NeMo, prometheus-client and opentelemetry-api.

    python -m benchmarks.gpu --device cuda --dtype bf16 --json gpu.json
    python -m benchmarks.gpu --device cuda --dtype bf16 --streams 600
    python -m benchmarks.gpu --device cpu --small

Everything that is worth measuring on a GPU, what matters most first, within so many minutes, compiling included:

    python -m benchmarks.gpu --everything --minutes 12 --device cuda --dtype bf16 --json gpu.json
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.gpu_latencies import measure_latencies
from benchmarks.gpu_report import DTYPES, Report, describe
from benchmarks.gpu_runs import Bench, agreement, find_held, measure_steps, print_profile
from inference.engine import GPU_WINDOW_S
from inference.sortformer import LATENCIES

LATENCIES_TO_COMPARE = ("0.32s", "0.64s", "10s")
# With --everything: by which share of the time each part is over; what is not over by then is left for the next.
OVER_BY = {"streams": 0.45, "agreement": 0.55, "profile": 0.6, "latencies": 0.85, "models": 0.95, "server": 1.0}
# A server that starts late in the run measures nothing.
LEAST_SERVER_S = 60


class Plan:
    """The parts of a run, one after another, each within its time."""

    def __init__(self, report: Report, began: float, minutes: float, *, everything: bool) -> None:
        self._report, self._began, self._seconds, self._everything = report, began, 60 * minutes, everything
        self._from_first_step: float | None = None

    def left_s(self, part: str) -> float:
        """Seconds left for a part; without --everything, only streams have an end: so long from the first step."""
        if self._everything:
            return self._began + OVER_BY[part] * self._seconds - time.monotonic()
        if part != "streams":
            return float("inf")
        return (self._from_first_step or time.monotonic()) + self._seconds - time.monotonic()

    def start(self) -> None:
        """The first step begins."""
        self._from_first_step = time.monotonic()

    def attempt(self, part: str, run: Callable[[], object]) -> None:
        """Run a part; with --everything, note why it failed or had no time, and go on. Streams are always tried."""
        if not self._everything:
            run()
            return
        if self.left_s(part) <= 0 and part != "streams":
            self._leave_out(part, "time is up")
            return
        print(f"\n== {part}: {self.left_s(part):.0f} s", flush=True)
        try:
            run()
        except Exception as error:
            self._leave_out(part, " ".join(f"{type(error).__name__}: {error}".split())[:500])

    def _leave_out(self, part: str, reason: str) -> None:
        print(f"{part}: left out: {reason}", flush=True)
        self._report.append("left_out", {"part": part, "reason": reason})


def main() -> None:
    """Measures, prints tables and writes ``--json``."""
    began, options = time.monotonic(), _options()
    logging.basicConfig(level="INFO", format="%(message)s")
    report = Report(options.json)
    report.add("circumstances", describe())
    print(json.dumps(report.found["circumstances"]), flush=True)
    from inference.nemo import import_nemo, torch_device

    import_nemo()
    device = torch_device(options.device)
    options.default_window_s = GPU_WINDOW_S if device.type == "cuda" else 0.0
    options.largest = options.largest or (128 if device.type == "cuda" else 16)
    options.batch = sorted({1, *(size for size in options.batch if size <= options.largest)})
    report.add("options", {name: value for name, value in vars(options).items() if name != "json"})
    plan = Plan(report, began, options.minutes, everything=options.everything)
    first, *others = options.latency
    bench = Bench(options, report, device, first)
    plan.start()
    best = measure_steps(bench)
    if not options.steps_only:
        plan.attempt("streams", lambda: find_held(bench, best, lambda: plan.left_s("streams") > 0))
    if options.agreement:
        plan.attempt("agreement", lambda: agreement(bench, lambda: plan.left_s("agreement") > 0))
    if options.profile:
        plan.attempt("profile", lambda: print_profile(bench))
    if others:
        plan.attempt("latencies", lambda: measure_latencies(bench, others, lambda: plan.left_s("latencies")))
    if options.everything:
        plan.attempt("models", lambda: _models(options, report, lambda: plan.left_s("models") > 0))
        plan.attempt("server", lambda: _server(options, report, plan.left_s("server")))


def _models(options: argparse.Namespace, report: Report, may_go_on: Callable[[], bool]) -> None:
    from benchmarks.gpu_models import measure_models
    from benchmarks.model_cases import Wanted

    wanted = Wanted(options.device, DTYPES[options.dtype], options.small)
    measure_models(wanted, report, seconds=options.step_seconds / 4, may_go_on=may_go_on)


def _server(options: argparse.Namespace, report: Report, left_s: float) -> None:
    from benchmarks.gpu_server import measure_server

    if left_s < LEAST_SERVER_S:
        raise RuntimeError(f"only {left_s:.0f} s are left, and its start takes as long")
    held = report.found.get("held", {}).get("batched", 0)
    streams = [max(1, held // 2), max(2, held)]
    chosen = {**vars(options), "latency": options.latency[0], "streams": streams, "words": False}
    measure_server(argparse.Namespace(**{**chosen, "seconds": min(options.seconds * 2, left_s / 5)}), report)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="fp32")
    parser.add_argument(
        "--latency", nargs="+", choices=LATENCIES, default=["1.04s"], help="the first is measured whole, others briefly"
    )
    parser.add_argument("--largest", type=int, help="maximum number of sessions in a pass; default: 128, on a CPU 16")
    parser.add_argument("--window", type=float, help="time a call waits for others, ms; default: 40 on a GPU, else 0")
    parser.add_argument(
        "--compile",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="compile layers and record CUDA graphs, on a GPU",
    )
    parser.add_argument("--streams", type=int, help="try only this number of live streams")
    parser.add_argument("--bound", type=float, default=1.0, help="largest p99 lag of a stream that is held, seconds")
    parser.add_argument(
        "--minutes",
        type=float,
        default=3.5,
        help="no new trial begins after this, from the first step; with --everything, of all of it from its start",
    )
    parser.add_argument("--seconds", type=float, default=10, help="duration of each trial with live streams")
    parser.add_argument("--step-seconds", type=float, default=2, help="duration of each trial of a batch size")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 4, 16, 32, 64, 128], help="batch sizes to try")
    parser.add_argument("--agreement", action="store_true", help="compare decisions of 1, 7, 32, 128 sessions a call")
    parser.add_argument("--profile", action="store_true", help="tell where the time of a step goes, before and after")
    parser.add_argument("--small", action="store_true", help="use a miniature Sortformer")
    parser.add_argument("--steps-only", action="store_true", help="skip the trials with live streams")
    parser.add_argument(
        "--everything",
        action="store_true",
        help="agreement, profile, the other latencies, the other models and a whole server too, within --minutes",
    )
    parser.add_argument("--json", type=Path, help="write the results to this JSON file, as they come")
    options = parser.parse_args()
    if options.everything:
        options.agreement = options.profile = True
        options.latency += [latency for latency in LATENCIES_TO_COMPARE if latency not in options.latency]
    return options


if __name__ == "__main__":
    # torch's default of a thread for each core makes a busy machine slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()

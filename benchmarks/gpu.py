"""What batching is worth to the frame diarizer: the time of a step by batch size, and live streams held in real time.

A Sortformer of the published size with random weights: what it costs does not depend on what it has learned. With its
defaults it takes less than four minutes of a GPU, compiling apart. It needs torch and NeMo, and nothing else.

    python -m benchmarks.gpu --device cuda --dtype bf16 --json gpu.json
    python -m benchmarks.gpu --device cuda --dtype bf16 --streams 600
    python -m benchmarks.gpu --device cpu --small
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.circumstances import circumstances
from benchmarks.gpu_trials import (
    QueueSettings,
    Streams,
    StreamTrial,
    equal_decisions,
    most_held,
    run_streams,
    step_time,
)
from benchmarks.random_sortformer import PUBLISHED, SMALL, random_sortformer, spread_probabilities
from inference.engine import GPU_WINDOW_S
from inference.gpu import NvmlFailed, read_driver
from inference.sortformer import settings_for

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
AGREEMENT_CHUNKS = 6
# A queue never runs at the speed of its longest call alone: the search begins below.
FIRST_SHARE = 0.8


def _seconds(value: float | None) -> str:
    return "   never" if value is None else f"{value:6.2f} s"


class Report:
    """What is found, printed as it comes and written to a file each time."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.found: dict[str, Any] = {}

    def add(self, name: str, value: Any) -> None:
        """Keep a result, and write all so far."""
        self.found[name] = value
        if self._path:
            self._path.write_text(json.dumps(self.found, indent=2) + "\n")

    def append(self, name: str, value: Any) -> None:
        """Add to a list of results."""
        self.add(name, [*self.found.get(name, []), value])


def describe(device: Any) -> dict[str, Any]:
    """The machine, versions, the GPU and its driver."""
    import torch

    around = circumstances()
    around["threads"] = torch.get_num_threads()
    if device.type == "cuda":
        around["gpu"] = torch.cuda.get_device_name(device)
        around["versions"]["cuda"] = torch.version.cuda
        try:
            driver = read_driver()
        except NvmlFailed as error:
            around["driver"] = str(error)
        else:
            around["driver"] = driver.version if driver else "unknown"
    return around


def measure_steps(streams: Streams, options: argparse.Namespace, report: Report) -> float:
    """Time steps of each batch size; return the most seconds of audio told a second."""
    print("sessions/call   usual step   worst step   processor  audio/time")
    best = 0.0
    for sessions in options.batch:
        row = step_time(streams, sessions, options.step_seconds)
        best = max(best, row.speed)
        print(
            f"{row.sessions:13} {row.usual_s * 1e3:9.1f} ms {row.worst_s * 1e3:9.1f} ms "
            f"{row.processor_s * 1e3:8.1f} ms {row.speed:11.1f}",
            flush=True,
        )
        report.append("steps", asdict(row))
    return best


def measure_streams(
    streams: Streams, options: argparse.Namespace, report: Report, speeds: dict[str, float], deadline: float
) -> dict[str, StreamTrial | None]:
    """Search for the most live streams, batched and one at a time; or try the number that is asked for."""
    window_s = options.window / 1000 if options.window is not None else options.default_window_s
    queues = {
        "batched": QueueSettings(options.largest, window_s, streams.diarizer.calls_at_once, options.bound),
        "one_at_a_time": QueueSettings(1, 0.0, 1, options.bound),
    }
    gpu_index = 0 if streams.diarizer.on_gpu else None
    print("\nstreams rows/call at most  p50 lag  p99 lag   growth  busy   GPU  rows/call")

    async def run(name: str, count: int) -> StreamTrial:
        tried = await run_streams(streams, count, queues[name], options.seconds, gpu_index)
        gpu = "   -" if tried.gpu is None else f"{tried.gpu:4.0%}"
        print(
            f"{tried.streams:7} {tried.largest:17} {_seconds(tried.p50_lag_s)} {_seconds(tried.p99_lag_s)} "
            f"{tried.growth_s:6.2f} s {tried.busy:5.2f} {gpu} {tried.rows_per_call:10.1f} "
            f"{'held' if tried.held else 'late'}",
            flush=True,
        )
        report.append("trials", {"queue": name, **asdict(tried)})
        return tried

    async def search() -> dict[str, StreamTrial | None]:
        if options.streams:
            return {"batched": await run("batched", options.streams)}
        found = {}
        # The shorter search first: it leaves the rest of the time to the other.
        for name in ("one_at_a_time", "batched"):
            first = int(FIRST_SHARE * speeds[name])
            found[name] = await most_held(partial(run, name), first, lambda: time.monotonic() < deadline)
        return found

    return asyncio.run(search())


def main() -> None:
    """Measures, prints tables and writes ``--json``."""
    options = _options()
    logging.basicConfig(level="INFO", format="%(message)s")
    from inference.nemo import import_nemo, torch_device

    import_nemo()
    import torch

    from inference.nemo.sortformer import SortformerDiarizer

    device, report = torch_device(options.device), Report(options.json)
    report.add("circumstances", describe(device))
    print(json.dumps(report.found["circumstances"]), flush=True)
    options.default_window_s = GPU_WINDOW_S if device.type == "cuda" else 0.0
    options.largest = options.largest or (128 if device.type == "cuda" else 16)
    options.batch = sorted({1, *(size for size in options.batch if size <= options.largest)})
    report.add("options", {name: value for name, value in vars(options).items() if name != "json"})
    model = random_sortformer(SMALL if options.small else PUBLISHED)
    spread_probabilities(model, centred=True)
    model.to(device)
    weights = sum(parameter.numel() for parameter in model.parameters())
    settings = settings_for(options.latency, 4)
    began = time.monotonic()
    diarizer = SortformerDiarizer(
        model, settings, dtype=DTYPES[options.dtype], max_rows=options.largest, compiled=options.compile
    )
    prepared_s = time.monotonic() - began
    deadline = time.monotonic() + options.minutes * 60
    streams = Streams(diarizer, settings)
    state_bytes = streams.state(streams.fullest_fifo()).tensor_bytes()
    report.add("model", {"weights": weights, "state_bytes": state_bytes, "prepared_s": prepared_s})
    print(
        f"{weights / 1e6:.1f} M weights, {options.dtype} on {device.type}, {torch.get_num_threads()} threads, "
        f"latency {options.latency}, prepared in {prepared_s:.0f} s; a session keeps {state_bytes / 1e6:.2f} MB\n"
    )
    with torch.inference_mode():
        best = measure_steps(streams, options, report)
        if options.agreement:
            for sessions in (1, 7, 32, 128):
                share = equal_decisions(streams, sessions, AGREEMENT_CHUNKS)
                print(f"{sessions:4} sessions a call: {share:.2%} of decisions as one at a time", flush=True)
                report.append("agreement", {"sessions": sessions, "equal": share})
        if options.steps_only:
            return
        speeds = {"batched": best, "one_at_a_time": report.found["steps"][0]["speed"]}
        held = measure_streams(streams, options, report, speeds, deadline)
    counts = {name: row.streams if row and row.held else 0 for name, row in held.items()}
    report.add("held", counts)
    print("\nheld in real time: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="fp32")
    parser.add_argument("--latency", default="1.04s")
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
        "--minutes", type=float, default=3.5, help="no new trial begins after this, from the first step"
    )
    parser.add_argument("--seconds", type=float, default=10, help="duration of each trial with live streams")
    parser.add_argument("--step-seconds", type=float, default=2, help="duration of each trial of a batch size")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 4, 16, 32, 64, 128], help="batch sizes to try")
    parser.add_argument("--agreement", action="store_true", help="compare decisions of 1, 7, 32, 128 sessions a call")
    parser.add_argument("--small", action="store_true", help="use a miniature Sortformer")
    parser.add_argument("--steps-only", action="store_true", help="skip the trials with live streams")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file, as they come")
    return parser.parse_args()


if __name__ == "__main__":
    # torch's default of a thread for each core makes a busy machine slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()

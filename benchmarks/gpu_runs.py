"""Runs of ``benchmarks.gpu`` with one diarizer: its steps, the streams it holds, its decisions and its profile."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from benchmarks.gpu_profile import profile_step
from benchmarks.gpu_report import DTYPES, Report
from benchmarks.gpu_steps import Streams, equal_decisions, step_time
from benchmarks.gpu_trials import QueueSettings, StreamTrial, most_held, run_streams
from benchmarks.random_sortformer import PUBLISHED, SMALL, random_sortformer, spread_probabilities
from inference.sortformer import settings_for

AGREEMENT_SESSIONS, AGREEMENT_CHUNKS = (1, 7, 32, 128), 6
# A queue never runs at the speed of its longest call alone: the search begins below.
FIRST_SHARE = 0.8


class Bench:
    """A diarizer of a latency, on a device, and what is to be measured of it."""

    def __init__(
        self, options: argparse.Namespace, report: Report, device: Any, latency: str, rows: Sequence[int] = ()
    ) -> None:
        """``rows``: sizes of passes that are compiled and recorded; empty: all that a server has."""
        import torch

        from inference.nemo.buckets import Buckets, aligned
        from inference.nemo.sortformer import SortformerDiarizer

        self.options, self.report, self.device, self.latency = options, report, device, latency
        settings = settings_for(latency, 4)
        buckets = Buckets(tuple(rows), (aligned(settings.max_frames),)) if rows else None
        model = self.model()
        self.weights = sum(parameter.numel() for parameter in model.parameters())
        began = time.monotonic()
        diarizer = SortformerDiarizer(
            model,
            settings,
            dtype=DTYPES[options.dtype],
            max_rows=options.largest,
            compiled=options.compile,
            buckets=buckets,
        )
        prepared_s = time.monotonic() - began
        self.streams = Streams(diarizer, settings)
        state_bytes = self.streams.state(self.streams.fullest_fifo()).tensor_bytes()
        found = {"latency": latency, "weights": self.weights, "state_bytes": state_bytes, "prepared_s": prepared_s}
        report.append("model", {**found, "threads": torch.get_num_threads()})
        print(
            f"\n{self.weights / 1e6:.1f} M weights, {options.dtype} on {device.type}, {torch.get_num_threads()} "
            f"threads, latency {latency}, prepared in {prepared_s:.0f} s; a session keeps {state_bytes / 1e6:.2f} MB\n"
        )

    def model(self) -> Any:
        """The model as NeMo makes it, on the device: always the same weights."""
        model = random_sortformer(SMALL if self.options.small else PUBLISHED)
        spread_probabilities(model, centred=True)
        return model.to(self.device)


def measure_steps(bench: Bench, sizes: Sequence[int] | None = None) -> dict[str, float]:
    """Time steps of each batch size; return the most seconds of audio told a second, batched and one at a time."""
    import torch

    print("sessions/call   usual step   worst step   processor  audio/time")
    speeds: list[float] = []
    for sessions in sizes or bench.options.batch:
        with torch.inference_mode():
            row = step_time(bench.streams, sessions, bench.options.step_seconds)
        speeds.append(row.speed)
        print(
            f"{row.sessions:13} {row.usual_s * 1e3:9.1f} ms {row.worst_s * 1e3:9.1f} ms "
            f"{row.processor_s * 1e3:8.1f} ms {row.speed:11.1f}",
            flush=True,
        )
        bench.report.append("steps", {"latency": bench.latency, **asdict(row)})
    return {"batched": max(speeds), "one_at_a_time": speeds[0]}


def find_held(
    bench: Bench,
    speeds: dict[str, float],
    may_go_on: Callable[[], bool],
    queues: Sequence[str] = ("one_at_a_time", "batched"),
) -> dict[str, StreamTrial | None]:
    """Search for the most live streams, batched and one at a time; or try the number that is asked for."""
    options, streams, report = bench.options, bench.streams, bench.report
    window_s = options.window / 1000 if options.window is not None else options.default_window_s
    settings = {
        "batched": QueueSettings(options.largest, window_s, streams.diarizer.calls_at_once, options.bound),
        "one_at_a_time": QueueSettings(1, 0.0, 1, options.bound),
    }
    gpu_index = 0 if streams.diarizer.on_gpu else None
    print("\nstreams rows/call at most  p50 lag  p99 lag   growth  busy   GPU  rows/call")

    async def run(name: str, count: int) -> StreamTrial:
        tried = await run_streams(streams, count, settings[name], options.seconds, gpu_index)
        gpu = "   -" if tried.gpu is None else f"{tried.gpu:4.0%}"
        print(
            f"{tried.streams:7} {tried.largest:17} {_seconds(tried.p50_lag_s)} {_seconds(tried.p99_lag_s)} "
            f"{tried.growth_s:6.2f} s {tried.busy:5.2f} {gpu} {tried.rows_per_call:10.1f} "
            f"{'held' if tried.held else 'late'}",
            flush=True,
        )
        report.append("trials", {"latency": bench.latency, "queue": name, **asdict(tried)})
        return tried

    async def search() -> dict[str, StreamTrial | None]:
        if options.streams:
            return {"batched": await run("batched", options.streams)}
        found = {}
        # The shorter search first: it leaves the rest of the time to the other.
        for name in queues:
            found[name] = await most_held(partial(run, name), int(FIRST_SHARE * speeds[name]), may_go_on)
        return found

    held = asyncio.run(search())
    counts = {name: row.streams if row and row.held else 0 for name, row in held.items()}
    print("\nheld in real time: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))
    report.add("held", {**counts, **report.found.get("held", {})})
    return held


def agreement(bench: Bench, may_go_on: Callable[[], bool]) -> None:
    """Compare decisions of sessions together with those of each alone."""
    import torch

    for sessions in AGREEMENT_SESSIONS:
        if not may_go_on():
            return
        with torch.inference_mode():
            share = equal_decisions(bench.streams, sessions, AGREEMENT_CHUNKS)
        print(f"{sessions:4} sessions a call: {share:.2%} of decisions as one at a time", flush=True)
        bench.report.append("agreement", {"sessions": sessions, "equal": share})


def print_profile(bench: Bench) -> None:
    """Print and report where the time of the largest step goes."""
    rows, dtype = bench.options.batch[-1], DTYPES[bench.options.dtype]
    for found in profile_step(bench.streams, bench.model(), rows, dtype):
        print(
            f"\n{found.what}: {found.rows} rows of {found.frames} frames, {found.elapsed_ms:.1f} ms; profiled: "
            f"{found.busy_ms:.1f} ms in {found.launches} operations"
        )
        for operation in found.most:
            print(f"  {operation.time_ms:9.2f} ms {operation.calls:6}  {operation.name}")
        bench.report.append("profile", asdict(found))


def _seconds(value: float | None) -> str:
    return "   never" if value is None else f"{value:6.2f} s"

"""Live streams of a frame diarizer, tried: how many ``benchmarks.gpu`` finds to be held."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu_steps import Streams
from inference.engine import Batcher
from inference.gpu import read_utilisation
from inference.models import StreamInput

# The first part of a trial is left out: queues fill.
SETTLING_SHARE = 0.25
# Lag may grow by this share of the bound from the first third of what is measured to the last: else a queue fills.
MAX_GROWTH_SHARE = 0.1
# Streams are searched for to this share of what is held.
RESOLUTION = 0.1
LOOK_AT_GPU_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class StreamTrial:
    """A number of live streams, tried."""

    streams: int
    largest: int
    """Maximum number of rows in a call."""
    p50_lag_s: float | None
    p99_lag_s: float | None
    """From when a chunk's audio is complete to its frames, the 99th of 100; None where some never came."""
    growth_s: float
    """By how much the median lag of the last third exceeds that of the first."""
    busy: float
    """Calls under way, on average; at most as many as may run at once."""
    gpu: float | None
    """Share of the time in which the GPU ran a kernel, as its driver says; None without one."""
    rows_per_call: float
    held: bool


class GpuWatch:
    """The GPU's utilisation while it lasts, on average."""

    def __init__(self, index: int | None) -> None:
        """``index``: of the GPU; None: there is none."""
        self._index, self._over = index, threading.Event()
        self._seen: list[float] = []
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> GpuWatch:
        if self._index is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._index is not None:
            self._thread.join()

    @property
    def mean(self) -> float | None:
        """Average, 0..1; None where it was not seen."""
        return float(np.mean(self._seen)) if self._seen else None

    def _look(self) -> None:
        assert self._index is not None
        while not self._over.wait(LOOK_AT_GPU_EVERY_S):
            seen = read_utilisation(self._index)
            if seen is not None:
                self._seen.append(seen)


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """How streams share calls."""

    largest: int
    window_s: float
    calls_at_once: int
    bound_s: float
    """A stream is held while all but one answer of a hundred come within this."""


def growth(lags: Sequence[tuple[float, float]]) -> float:
    """By how much the median of the last third exceeds that of the first; ``lags``: (when due, lag), seconds."""
    ordered = [lag for _, lag in sorted(lags)]
    third = len(ordered) // 3
    return float(np.median(ordered[-third:]) - np.median(ordered[:third])) if third else 0.0


def is_held(p99_lag_s: float | None, growth_s: float, bound_s: float) -> bool:
    """Whether streams keep up: nearly all answers within the bound, and no queue that fills."""
    return p99_lag_s is not None and p99_lag_s < bound_s and growth_s < MAX_GROWTH_SHARE * bound_s


async def run_streams(
    streams: Streams, count: int, queue: QueueSettings, seconds: float, gpu_index: int | None
) -> StreamTrial:
    """Runs ``count`` live streams for ``seconds``, each at its own moment of the chunk."""
    threads = ThreadPoolExecutor(queue.calls_at_once)
    loop = asyncio.get_running_loop()

    async def run(work: list[StreamInput]) -> list[tuple[NDArray[np.float32], Any]]:
        return await loop.run_in_executor(threads, streams.diarizer, work)

    batcher: Batcher[StreamInput, Any] = Batcher(
        "diarization",
        run,
        max_size=queue.largest,
        window_s=queue.window_s,
        parallel=queue.calls_at_once,
        max_waiting=1_000_000,
    )
    rng = np.random.default_rng(count)
    audio = streams.audio(streams.chunk_samples)
    full = streams.fullest_fifo()
    states = [streams.state(int(rng.integers(0, full + 1))) for _ in range(count)]
    lags: list[tuple[float, float]] = []
    begin = time.perf_counter() + 0.1

    async def stream(number: int) -> None:
        state = states[number]
        due = begin + float(rng.random()) * streams.chunk_s
        while due < begin + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            _, state = await batcher.submit(number, StreamInput(audio, state))
            if due >= begin + SETTLING_SHARE * seconds:
                lags.append((due, time.perf_counter() - due))
            due += streams.chunk_s

    with GpuWatch(gpu_index) as gpu:
        tasks = [asyncio.create_task(stream(number)) for number in range(count)]
        _, late = await asyncio.wait(tasks, timeout=seconds + 4 * queue.bound_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        elapsed_s, counted = time.perf_counter() - begin, batcher.statistics
        await batcher.close()
        threads.shutdown()
    values = [lag for _, lag in lags]
    complete = bool(values) and not late
    lag, grown = float(np.quantile(values, 0.99)) if complete else None, growth(lags)
    return StreamTrial(
        streams=count,
        largest=queue.largest,
        p50_lag_s=float(np.median(values)) if values else None,
        p99_lag_s=lag,
        growth_s=grown,
        busy=min(queue.calls_at_once, counted.ran_s / elapsed_s),
        gpu=gpu.mean,
        rows_per_call=counted.works / max(1, counted.calls),
        held=is_held(lag, grown, queue.bound_s),
    )


async def most_held(
    run: Callable[[int], Awaitable[StreamTrial]], first: int, may_go_on: Callable[[], bool]
) -> StreamTrial | None:
    """The most streams held in real time, or None where not even one is.

    Args:
        run: tries a number of streams.
        first: the number to begin with: what a step's speed says.
        may_go_on: False when time is up; what was held until then is the answer.
    """
    best: StreamTrial | None = None
    lower, upper = 0, 0
    count = max(1, first)
    while may_go_on() or best is None:
        tried = await run(count)
        if tried.held:
            best, lower = tried, count
        else:
            upper = count
        if upper and upper - lower <= max(1, RESOLUTION * lower):
            break
        if not upper:
            count = max(count + 1, round(1.25 * count))
        elif not lower:
            count = 3 * count // 4
        else:
            count = (lower + upper) // 2
        if not count:
            break
    return best

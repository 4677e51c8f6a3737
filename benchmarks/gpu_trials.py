"""Steps and live streams of a frame diarizer, measured: what ``benchmarks.gpu`` tries and finds."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.engine import Batcher
from inference.gpu import read_utilisation
from inference.models import SAMPLE_RATE_HZ, Samples, StreamInput
from inference.sortformer import SessionAudio, StreamingSettings

# The first part of a trial is left out: queues fill.
SETTLING_SHARE = 0.25
# Lag may grow by this share of the bound from the first third of what is measured to the last: else a queue fills.
MAX_GROWTH_SHARE = 0.1
# Streams are searched for to this share of what is held.
RESOLUTION = 0.1
LOOK_AT_GPU_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class StepTime:
    """How long one call takes that tells a chunk of each of ``sessions``; seconds."""

    sessions: int
    usual_s: float
    """Median, with a fifo half full, as it is on average."""
    worst_s: float
    """Median, with a full fifo: frames of every session move on, and every cache is compressed."""
    processor_s: float
    """Of all threads, in a usual call; less than the time taken where others have the processor, or the GPU works."""
    speed: float
    """Seconds of audio told a second, in usual calls."""


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


class Streams:
    """Sessions with full caches, as after minutes of a meeting."""

    def __init__(self, diarizer: Any, settings: StreamingSettings) -> None:
        self.diarizer, self.settings = diarizer, settings
        self.frame = diarizer.frame_samples
        self.chunk_samples = settings.chunk * self.frame
        self.chunk_s = self.chunk_samples / SAMPLE_RATE_HZ
        rng = np.random.default_rng(0)
        self._sound = (0.05 * rng.standard_normal(60 * SAMPLE_RATE_HZ)).astype(np.float32)

    def audio(self, samples: int) -> Samples:
        """Noise."""
        return np.resize(self._sound, samples)

    def state(self, fifo: int) -> Any:
        """A session with so many frames in its fifo, whose next chunk lacks a chunk of audio."""
        import torch

        settings, empty = self.settings, self.diarizer.initial_state()
        emitted = 1000 * settings.chunk
        received = emitted * self.frame + settings.latency_samples - self.chunk_samples
        first = (emitted - settings.left_context) * self.frame - 320  # two hops of the spectrum before
        width, speakers = empty.fifo.shape[1], self.diarizer.max_speakers
        device = empty.fifo.device
        return replace(
            empty,
            audio=SessionAudio(self.audio(received - first), first, received, emitted),
            cache=torch.randn((settings.speaker_cache, width), device=device),
            cache_probabilities=torch.rand((settings.speaker_cache, speakers), device=device),
            fifo=torch.randn((fifo, width), device=device),
        )

    def fullest_fifo(self) -> int:
        """Frames in the fifo before a chunk that makes some of them move on."""
        return self.settings.fifo - self.settings.fifo % self.settings.chunk or self.settings.fifo


def step_time(streams: Streams, sessions: int, seconds: float) -> StepTime:
    """The time of a call with so many sessions; the usual and the worst are each measured for half of ``seconds``."""
    full = streams.fullest_fifo()
    usual_s, processor_s = _median_time(streams, streams.state(full // 2), sessions, seconds / 2)
    worst_s, _ = _median_time(streams, streams.state(full), sessions, seconds / 2)
    return StepTime(sessions, usual_s, worst_s, processor_s, sessions * streams.chunk_s / usual_s)


def _median_time(streams: Streams, state: Any, sessions: int, seconds: float) -> tuple[float, float]:
    """Return the median duration of a call, at least three, and a call's processor time."""
    work = [StreamInput(streams.audio(streams.chunk_samples), state)] * sessions
    streams.diarizer(work)  # the first call allocates
    durations_s: list[float] = []
    began, processor = time.perf_counter(), time.process_time()
    while len(durations_s) < 3 or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        results = streams.diarizer(work)
        durations_s.append(time.perf_counter() - start)
        assert all(len(frames) == streams.settings.chunk for frames, _ in results)
    return float(np.median(durations_s)), (time.process_time() - processor) / len(durations_s)


def equal_decisions(streams: Streams, sessions: int, chunks: int) -> float:
    """The share of decisions (0.5) that are the same in calls with ``sessions`` sessions and one at a time."""
    full = streams.fullest_fifo()
    rng = np.random.default_rng(sessions)
    states = [streams.state(int(rng.integers(0, full + 1))) for _ in range(sessions)]
    starts = rng.integers(0, len(streams.audio(30 * SAMPLE_RATE_HZ)), sessions)

    def told(groups: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
        own, found = list(states), []
        for chunk in range(chunks):
            for group in groups:
                begins = [int(starts[i]) + chunk * streams.chunk_samples for i in group]
                sound = streams.audio(60 * SAMPLE_RATE_HZ)
                work = [
                    StreamInput(np.resize(sound[begin:], streams.chunk_samples), own[i])
                    for begin, i in zip(begins, group, strict=True)
                ]
                for i, (frames, state) in zip(group, streams.diarizer(work), strict=True):
                    own[i] = state
                    found.append(frames > 0.5)
        return np.stack(found)

    together = told([range(sessions)])
    alone = told([[i] for i in range(sessions)])
    return float((together == alone).mean())


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

"""What batching is worth to the frame diarizer: the time of a step by batch size, and live streams held in real time.

A Sortformer of the published size with random weights: what it costs does not depend on what it has learned.

    python -m benchmarks.gpu --device cuda --dtype bf16
    python -m benchmarks.gpu --device cpu --small --seconds 10
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.random_sortformer import PUBLISHED, SMALL, random_sortformer
from benchmarks.running_system import circumstances
from inference.engine import Batcher
from inference.models import SAMPLE_RATE_HZ, Samples, StreamInput
from inference.sortformer import SessionAudio, StreamingSettings, settings_for

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
# A stream is held while all but one answer of a hundred come within this of the audio they tell of, seconds.
MAX_LAG_S = 2.0
# The first part of a trial is left out: queues fill.
SETTLING_SHARE = 0.25
# Streams are searched for to this share of what is held.
RESOLUTION = 0.1


@dataclass(frozen=True, slots=True)
class StepTime:
    """How long one call takes that tells a chunk of each of ``sessions``, whose caches are full; seconds."""

    sessions: int
    median_s: float
    processor_s: float
    """Of all threads; less than the time taken where others have the processor, or the GPU works."""
    speed: float
    """Seconds of audio told a second."""
    gain: float
    """``speed`` against a call with one session."""


@dataclass(frozen=True, slots=True)
class StreamTrial:
    """A number of live streams, tried."""

    streams: int
    largest_batch: int
    p99_lag_s: float
    """From when a step's audio is complete to its answer, the 99th of 100."""
    busy: float
    """Share of the time in which the model was at work."""
    mean_batch: float
    held: bool


class Streams:
    """Sessions with full caches, as after minutes of a meeting."""

    def __init__(self, diarizer: Any, settings: StreamingSettings) -> None:
        self.diarizer = diarizer
        self.settings = settings
        self.frame = diarizer.frame_samples
        self.step_s = diarizer.step_samples / SAMPLE_RATE_HZ
        rng = np.random.default_rng(0)
        self._sound = (0.05 * rng.standard_normal(60 * SAMPLE_RATE_HZ)).astype(np.float32)

    def audio(self, samples: int) -> Samples:
        """Noise."""
        return np.resize(self._sound, samples)

    def state(self, fifo: int, *, ready: bool) -> Any:
        """A session with so many frames in its fifo; ``ready``: its next step of audio completes a chunk."""
        import torch

        settings, empty = self.settings, self.diarizer.initial_state()
        wait_frames = settings.chunk + settings.wait(settings.step) - settings.step
        chunks = 1000
        emitted = chunks * settings.chunk
        received = (emitted + (wait_frames if ready else 0)) * self.frame
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


def step_times(streams: Streams, batches: Sequence[int], seconds: float) -> list[StepTime]:
    """The time of a call for each number of sessions, each measured for ``seconds`` or five times."""
    found: list[StepTime] = []
    for sessions in batches:
        state = streams.state(streams.fullest_fifo(), ready=True)
        work = [StreamInput(streams.audio(streams.diarizer.step_samples), state)] * sessions
        streams.diarizer(work)  # the first call allocates
        durations_s: list[float] = []
        began, processor = time.perf_counter(), time.process_time()
        while len(durations_s) < 5 or time.perf_counter() - began < seconds:
            start = time.perf_counter()
            results = streams.diarizer(work)
            durations_s.append(time.perf_counter() - start)
            assert all(len(frames) == streams.settings.chunk for frames, _ in results)
        processor = (time.process_time() - processor) / len(durations_s)
        median = float(np.median(durations_s))
        speed = sessions * streams.settings.chunk * streams.frame / SAMPLE_RATE_HZ / median
        found.append(StepTime(sessions, median, processor, speed, speed / (found[0].speed if found else speed)))
    return found


async def run_streams(streams: Streams, count: int, largest: int, seconds: float) -> StreamTrial:
    """Runs ``count`` live streams for ``seconds``, each at its own moment of the step."""
    thread = ThreadPoolExecutor(1)
    loop = asyncio.get_running_loop()

    async def run(work: list[StreamInput]) -> list[tuple[NDArray[np.float32], Any]]:
        return await loop.run_in_executor(thread, streams.diarizer, work)

    batcher: Batcher[StreamInput, Any] = Batcher("diarization", run, max_size=largest, max_waiting=1_000_000)
    rng = np.random.default_rng(count)
    audio = streams.audio(streams.diarizer.step_samples)
    full = streams.fullest_fifo()
    states = [streams.state(int(rng.integers(0, full + 1)), ready=False) for _ in range(count)]
    lags: list[float] = []
    begin = time.perf_counter() + 0.1

    async def stream(number: int) -> None:
        state = states[number]
        due = begin + float(rng.random()) * streams.step_s
        while due < begin + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            _, state = await batcher.submit(number, StreamInput(audio, state))
            if due >= begin + SETTLING_SHARE * seconds:
                lags.append(time.perf_counter() - due)
            due += streams.step_s

    deadline = seconds + 4 * MAX_LAG_S
    tasks = [asyncio.create_task(stream(number)) for number in range(count)]
    _, late = await asyncio.wait(tasks, timeout=deadline)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    elapsed_s, counted = time.perf_counter() - begin, batcher.statistics
    await batcher.close()
    thread.shutdown()
    lag = float(np.quantile(lags, 0.99)) if lags and not late else float("inf")
    return StreamTrial(
        count, largest, lag, min(1.0, counted.ran_s / elapsed_s), counted.works / max(1, counted.calls), lag < MAX_LAG_S
    )


def max_streams(
    streams: Streams, largest: int, seconds: float, report: Callable[[StreamTrial], None]
) -> StreamTrial | None:
    """The most streams held in real time; None where not even one is."""
    best: StreamTrial | None = None
    lower, upper = 0, 0
    count = 1
    while True:
        found = asyncio.run(run_streams(streams, count, largest, seconds))
        report(found)
        if found.held:
            best, lower = found, count
        else:
            upper = count
        if not upper:
            count *= 2
        elif upper - lower <= max(1, RESOLUTION * lower):
            return best
        else:
            count = (lower + upper) // 2


def main() -> None:
    """Measures, prints a table and writes ``--json``."""
    options = _options()
    from inference.nemo import import_nemo, torch_device

    import_nemo()
    import torch

    from inference.nemo.sortformer import SortformerDiarizer

    device = torch_device(options.device)
    size = SMALL if options.small else PUBLISHED
    model = random_sortformer(size).to(device)
    weights = sum(parameter.numel() for parameter in model.parameters())
    most = max(options.batch)
    settings = settings_for(options.latency, 4)
    diarizer = SortformerDiarizer(model, settings, dtype=DTYPES[options.dtype], max_rows=most)
    streams = Streams(diarizer, settings)
    one_state = streams.state(streams.fullest_fifo(), ready=True)
    with torch.inference_mode():
        print(
            f"{weights / 1e6:.1f} M weights, {options.dtype} on {device.type}, {torch.get_num_threads()} threads, "
            f"latency {options.latency}; a session keeps {one_state.tensor_bytes() / 1e6:.2f} MB\n"
        )
        times = step_times(streams, options.batch, options.step_seconds)
        print("sessions/call        median   processor  audio/time  against one")
        for row in times:
            print(
                f"{row.sessions:15} {row.median_s * 1e3:8.1f} ms {row.processor_s * 1e3:8.1f} ms {row.speed:11.1f} "
                f"{row.gain:12.2f}"
            )

        def report(tried: StreamTrial) -> None:
            print(
                f"{tried.streams:7} {tried.largest_batch:13} {tried.p99_lag_s:8.2f} s {tried.busy:7.0%} "
                f"{tried.mean_batch:11.1f} {'held' if tried.held else 'late'}"
            )

        held: dict[str, StreamTrial | None] = {}
        if not options.steps_only:
            print("\nstreams largest batch  p99 lag    busy  mean batch")
            held = {
                "batched": max_streams(streams, most, options.seconds, report),
                "one_at_a_time": max_streams(streams, 1, options.seconds, report),
            }
            counts = [row.streams if row else 0 for row in held.values()]
            ratio = f"{counts[0] / counts[1]:.1f} times" if counts[1] else "no ratio"
            print(f"\nheld in real time: {counts[0]} batched, {counts[1]} one at a time: {ratio}")
    if options.json:
        around = circumstances()
        around["versions"].update({name: version(name) for name in ("torch", "nemo_toolkit")})
        around["device"] = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
        around["threads"] = torch.get_num_threads()
        answer = {
            "options": {name: value for name, value in vars(options).items() if name != "json"},
            "weights": weights,
            "state_bytes": one_state.tensor_bytes(),
            "steps": [asdict(row) for row in times],
            "streams": {name: asdict(row) if row else None for name, row in held.items()},
            "circumstances": around,
        }
        options.json.write_text(json.dumps(answer, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="fp32")
    parser.add_argument("--latency", default="1.04s")
    parser.add_argument("--seconds", type=float, default=20, help="duration of each trial with live streams")
    parser.add_argument("--step-seconds", type=float, default=3, help="duration of each trial of a batch size")
    parser.add_argument(
        "--batch", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64, 128], help="batch sizes to try"
    )
    parser.add_argument("--small", action="store_true", help="use a miniature Sortformer")
    parser.add_argument("--steps-only", action="store_true", help="skip the trials with live streams")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    options.batch = sorted({1, *options.batch})
    return options


if __name__ == "__main__":
    main()

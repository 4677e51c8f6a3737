"""Where the time of a step goes, operation by operation: as NeMo computes a pass, and as it is served."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.gpu_steps import Streams
from inference.models import StreamInput

OPERATIONS = 12
TIMED_CALLS = 3


@dataclass(frozen=True, slots=True)
class Operation:
    """A kernel of the GPU, or on a CPU an operation of torch."""

    name: str
    calls: int
    time_ms: float
    """Its own, without what it calls."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a call does."""

    what: str
    rows: int
    frames: int
    elapsed_ms: float
    """Median, not profiled."""
    busy_ms: float
    """Of all operations."""
    launches: int
    """Kernels, or operations."""
    most: tuple[Operation, ...]
    """Those that take most of the time."""


def profile_step(streams: Streams, untouched: Any, rows: int, dtype: str) -> list[Profile]:
    """Profile a pass of full caches as NeMo computes it, the same as served, and a whole call.

    Args:
        streams: with the diarizer that serves.
        untouched: the model as NeMo made it, float32, on the same device.
        rows: sessions.
        dtype: what both compute in; NeMo by autocast.
    """
    import torch

    diarizer, settings = streams.diarizer, streams.settings
    device = next(untouched.parameters()).device
    width = int(untouched.sortformer_modules.fc_d_model)
    length = settings.max_frames
    frames = torch.randn((rows, length, width), device=device)
    lengths = torch.full((rows,), length, device=device)
    work = [StreamInput(streams.audio(streams.chunk_samples), streams.state(streams.fullest_fifo() // 2))] * rows

    def as_nemo() -> None:
        rounded = dtype != "float32"
        with torch.autocast(device.type, getattr(torch, dtype if rounded else "bfloat16"), enabled=rounded):
            encoded, counts = untouched.frontend_encoder(
                processed_signal=frames, processed_signal_length=lengths, bypass_pre_encode=True
            )
            untouched.forward_infer(encoded, counts)

    def as_served() -> None:
        with diarizer.passes() as passes:
            passes(frames, lengths)

    calls: dict[str, Callable[[], object]] = {
        "NeMo's pass, autocast": as_nemo,
        "the pass as served": as_served,
        "a whole call": lambda: diarizer(work),
    }
    with torch.inference_mode():
        return [_profile(name, call, rows, length, device) for name, call in calls.items()]


def _profile(what: str, call: Callable[[], object], rows: int, frames: int, device: Any) -> Profile:
    from torch.profiler import ProfilerActivity, profile

    on_gpu = device.type == "cuda"
    _finished(call, device)  # the first call allocates
    elapsed_s = []
    for _ in range(TIMED_CALLS):
        began = time.perf_counter()
        _finished(call, device)
        elapsed_s.append(time.perf_counter() - began)
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as seen:
        _finished(call, device)
    events = [_operation(event, on_gpu=on_gpu) for event in seen.key_averages()]
    found = sorted((one for one in events if one is not None), key=lambda one: -one.time_ms)
    return Profile(
        what,
        rows,
        frames,
        float(np.median(elapsed_s)) * 1e3,
        sum(one.time_ms for one in found),
        sum(one.calls for one in found),
        tuple(found[:OPERATIONS]),
    )


def _operation(event: Any, *, on_gpu: bool) -> Operation | None:
    """What the profiler saw; None for what only launches kernels."""
    own = str(event.device_type).endswith("CUDA")
    time_us = event.self_device_time_total if on_gpu else event.self_cpu_time_total
    if own != on_gpu or not time_us:
        return None
    return Operation(str(event.key)[:120], int(event.count), time_us / 1e3)


def _finished(call: Callable[[], object], device: Any) -> None:
    import torch

    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)

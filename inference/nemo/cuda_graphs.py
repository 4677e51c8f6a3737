"""Compiled layers and CUDA graphs of a network, and the streams on which several calls run at once. CUDA alone.

What can be right or wrong without a GPU is elsewhere: sizes in ``buckets``; padding, and what to do where preparing
fails, in ``passes``.
"""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from inference.nemo.buckets import Bucket, Buckets
from inference.nemo.passes import BucketedPasses, Pass, prepare_passes
from inference.nemo.sortformer_network import SortformerNetwork

# Before a graph is recorded: compiles, chooses kernels and fills caches.
_WARM_UP_PASSES = 3


def compiled_code_cache() -> Path:
    """Return ``meetra/torch`` in the user's cache: compiled layers are found there by the next start."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "meetra" / "torch"


def compile_layers(layers: Sequence[Any], sizes: int) -> None:
    """Have ``layers`` compiled, each at its first call with inputs of a size; ``sizes``: how many there are."""
    # A folder of this user's own: torch's default is one in /tmp, which others could have made.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(compiled_code_cache()))
    config = torch._dynamo.config
    # Else it gives up after eight sizes; layers of a kind share their code.
    config.recompile_limit = max(config.recompile_limit, 4 * sizes)
    for layer in layers:
        layer.compile(dynamic=False)


def undo_compilation(layers: Sequence[Any]) -> None:
    """Have ``layers`` run as they are written again."""
    for layer in layers:
        layer._compiled_call_impl = None


class Lane:
    """A CUDA stream with the graphs that are replayed on it: what one of several concurrent calls uses."""

    def __init__(self, device: Any) -> None:
        self.stream = torch.cuda.Stream(device)
        self._device = device
        # Graphs of a lane never run at the same time, so that they share memory.
        self._memory = torch.cuda.graph_pool_handle()

    def record(self, forward: Callable[[Any, Any], Any], bucket: Bucket, width: int) -> Pass:
        """Record a graph of a pass of ``bucket``'s size.

        Args:
            forward: the network.
            bucket: the size.
            width: d, of an embedded frame.

        Returns:
            Replays the graph on the current stream, which must be this lane's; the result is the caller's.
        """
        frames = torch.zeros((bucket.rows, bucket.frames, width), device=self._device)
        lengths = torch.full((bucket.rows,), bucket.frames, dtype=torch.long, device=self._device)
        self.stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self.stream):
            for _ in range(_WARM_UP_PASSES):
                forward(frames, lengths)
        self.stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._memory, stream=self.stream, capture_error_mode="thread_local"):
            results = forward(frames, lengths)

        def replay(given: Any, given_lengths: Any) -> Any:
            frames.copy_(given)
            lengths.copy_(given_lengths)
            graph.replay()
            # A copy: the next replay writes there again.
            return results.clone()

        return replay


class Lanes:
    """As many calls at once as there are lanes; a further one waits for a lane."""

    def __init__(self, lanes: Sequence[tuple[Lane, BucketedPasses]], device: Any) -> None:
        self._device = device
        self._free: queue.SimpleQueue[tuple[Lane, BucketedPasses]] = queue.SimpleQueue()
        for lane in lanes:
            self._free.put(lane)

    @contextmanager
    def take(self) -> Iterator[BucketedPasses]:
        """Take a lane and make its stream the thread's; when the context ends, all that was begun on it is done.

        So states may be used on any lane by later calls, and memory that they gave up is not in use any more.
        """
        lane, passes = self._free.get()
        try:
            lane.stream.wait_stream(torch.cuda.current_stream(self._device))
            with torch.cuda.stream(lane.stream):
                try:
                    yield passes
                finally:
                    lane.stream.synchronize()
        finally:
            self._free.put((lane, passes))


def record_lanes(network: SortformerNetwork, buckets: Buckets, count: int, width: int, device: Any, name: str) -> Lanes:
    """Create ``count`` lanes, each with a graph of every size; layers are compiled once, for the first.

    Args:
        network: the network.
        buckets: the sizes; none: passes of any size run as they come.
        count: number of lanes.
        width: d, of an embedded frame.
        device: a CUDA device.
        name: of the model, for the log.
    """
    lanes = [Lane(device) for _ in range(count)]
    recorded: dict[Bucket, list[Pass]] = {}

    def record(bucket: Bucket) -> Pass:
        recorded[bucket] = [lane.record(network.probabilities, bucket, width) for lane in lanes]
        return recorded[bucket][0]

    if len(buckets):
        with torch.inference_mode():
            prepared = prepare_passes(
                buckets,
                record,
                model=name,
                compile_layers=lambda: compile_layers(network.layers, len(buckets)),
                undo_compilation=lambda: undo_compilation(network.layers),
            )
        recorded = {bucket: recorded[bucket] for bucket in prepared}
    passes = [
        BucketedPasses(network.probabilities, {bucket: own[number] for bucket, own in recorded.items()}, buckets)
        for number in range(count)
    ]
    return Lanes(list(zip(lanes, passes, strict=True)), device)

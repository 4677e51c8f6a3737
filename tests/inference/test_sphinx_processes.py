"""Where the default recogniser's processes run."""

from __future__ import annotations

import asyncio
import os

import numpy as np
import psutil
import pytest

from inference.sphinx import SphinxTranscriber
from tests.recordings import sample_pcm

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")


async def processors_of(processes: int) -> list[tuple[int, ...]]:
    """Those that each decoder process may run on, once all have worked."""
    others = set(psutil.Process().children())
    transcriber = SphinxTranscriber(processes)
    try:
        piece = sample_pcm()[:16000].astype(np.float32) / np.float32(32768)
        await asyncio.gather(*(transcriber.transcribe(piece) for _ in range(3 * processes)))
        children = set(psutil.Process().children()) - others
        decoders = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        return sorted(tuple(decoder.cpu_affinity() or ()) for decoder in decoders)
    finally:
        await transcriber.close()


async def test_each_has_a_processor_of_its_own_where_there_are_as_many() -> None:
    processors = sorted(os.sched_getaffinity(0))
    assert await processors_of(len(processors)) == [(processor,) for processor in processors]


async def test_others_run_anywhere() -> None:
    processors = tuple(sorted(os.sched_getaffinity(0)))
    if len(processors) == 1:
        pytest.skip("one processor")
    assert await processors_of(1) == [processors]

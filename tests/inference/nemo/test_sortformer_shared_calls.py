"""Sessions share the calls of a queue as in a server: they join, leave and fail, and none waits for another's fault."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.engine import Batcher
from inference.models import StreamInput
from tests.optional_packages import WITHOUT_NEMO

pytest.importorskip("nemo", reason=WITHOUT_NEMO)

from inference.nemo.buckets import buckets_for
from inference.nemo.sortformer import SortformerDiarizer
from tests.inference.nemo.test_sortformer import BOUND, LOW, diarizer_with, told_by_nemo
from tests.inference.nemo.tiny_models import recording

pytestmark = pytest.mark.usefixtures("nemo")
SESSIONS, SECONDS = 9, 5.0


class SharedCalls:
    """A queue before a diarizer, with as many calls at once as on a GPU."""

    def __init__(self, diarizer: SortformerDiarizer) -> None:
        self.diarizer = diarizer
        self._threads = ThreadPoolExecutor(2)
        self.queue: Batcher[StreamInput, Any] = Batcher(
            "diarization", self._run, max_size=diarizer.sessions_per_pass, window_s=0.005, parallel=2
        )

    async def _run(self, work: list[StreamInput]) -> list[Any]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.diarizer, work)

    async def follow(self, name: int, *, until_s: float = SECONDS) -> NDArray[np.float32]:
        """A session that ends, or is left, after so many seconds: its frames."""
        sound, state, start = recording(SECONDS, name), self.diarizer.initial_state(), 0
        frames: list[NDArray[np.float32]] = []
        while start < min(len(sound), until_s * 16_000):
            samples = sound[start : start + self.diarizer.needed_samples(state)]
            start += len(samples)
            told, state = await self.queue.submit(name, StreamInput(samples, state, last=start == len(sound)))
            frames.append(told)
        return np.concatenate(frames)

    async def fail(self, name: int, times: int) -> int:
        """A session whose audio is of a wrong length each time: how often it was told so."""
        refused = 0
        for _ in range(times):
            try:
                await self.queue.submit(name, StreamInput(np.zeros(7, np.float32), self.diarizer.initial_state()))
            except ValueError:
                refused += 1
        return refused


async def test_sessions_that_join_leave_and_fail_disturb_and_stop_no_other() -> None:
    buckets = buckets_for(8, LOW.max_frames)
    shared = SharedCalls(diarizer_with(LOW, max_rows=8, compiled=True, buckets=buckets))
    try:
        first = [asyncio.create_task(shared.follow(name)) for name in range(SESSIONS // 2)]
        failing = asyncio.create_task(shared.fail(100, times=10))
        leaving = asyncio.create_task(shared.follow(101, until_s=2.0))
        dropped = asyncio.create_task(shared.follow(102))
        await leaving
        dropped.cancel()
        later = [asyncio.create_task(shared.follow(name)) for name in range(SESSIONS // 2, SESSIONS)]
        told = await asyncio.wait_for(asyncio.gather(*first, *later), timeout=300)
        assert await failing == 10
    finally:
        await shared.queue.close()
    assert shared.queue.statistics.largest > 2
    assert shared.queue.statistics.failed == 10
    assert shared.queue.waiting == 0
    for name, frames in enumerate(told):
        expected = told_by_nemo(4, LOW, SECONDS, name)
        assert np.abs(frames[: len(expected)] - expected).max() < BOUND

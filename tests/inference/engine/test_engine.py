"""The queues of an engine: what somebody listens for never waits for windows, and whose processor time it was."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from inference.engine import PROVISIONAL_WORDS, RECOGNITION, ModelEngine
from inference.engine.engine import GPU_WINDOW_S
from inference.engine.model_threads import ProcessorTimeSplit
from inference.models import EncodedWindow, Samples, StreamInput, WindowTask
from tests.inference.words.scripted_windows import ScriptedWindows

SECOND = np.zeros(16_000, np.float32)


class SlowWindows(ScriptedWindows):
    """Hears a window only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()
        self.under_way = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def encode(self, windows: Sequence[Samples]) -> list[EncodedWindow]:
        """See WindowRecogniser."""
        with self._lock:
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        assert self.free.wait(300)
        with self._lock:
            self.under_way -= 1
        return super().encode(windows)


@pytest.fixture
async def slow(engine: ModelEngine) -> AsyncIterator[tuple[ModelEngine, SlowWindows]]:
    recogniser = SlowWindows()
    own = ModelEngine(replace(engine.models, recogniser=recogniser))
    yield own, recogniser
    recogniser.free.set()
    await own.close()


async def under_way(recogniser: SlowWindows, count: int) -> None:
    async with asyncio.timeout(60):
        while recogniser.under_way < count:
            await asyncio.sleep(0.001)


async def test_first_words_wait_for_no_window(slow: tuple[ModelEngine, SlowWindows]) -> None:
    engine, recogniser = slow
    windows = [asyncio.create_task(engine.encode_window(owner, SECOND)) for owner in range(4)]
    await under_way(recogniser, recogniser.parallel)
    # Words that somebody waits for come while all windows that may be heard are.
    async with asyncio.timeout(60):
        found = await engine.recognise_provisional("somebody", WindowTask(SECOND, "en"))
    assert [word.text for word in found.words] == ["?", "?"]
    recogniser.free.set()
    await asyncio.gather(*windows)
    assert recogniser.most_at_once == recogniser.parallel


async def test_who_has_one_thread_hears_windows_all_the_same(slow: tuple[ModelEngine, SlowWindows]) -> None:
    engine, recogniser = slow
    recogniser.parallel = 1
    recogniser.free.set()
    encoded = await asyncio.wait_for(engine.encode_window(None, SECOND), 60)
    assert len(await engine.decode_window(None, WindowTask(encoded, "en"))) == 2


async def test_statistics_name_both_kinds_of_words(slow: tuple[ModelEngine, SlowWindows]) -> None:
    engine, recogniser = slow
    recogniser.free.set()
    recogniser.processor_s = 7.0
    encoded = await engine.encode_window(None, SECOND)
    await engine.decode_window(None, WindowTask(encoded, "en"))
    await engine.recognise_provisional(None, WindowTask(SECOND, ""))
    told = {queue.name: (queue.statistics.works, seconds) for queue, seconds in engine.statistics()}
    assert (told[RECOGNITION][0], told[PROVISIONAL_WORDS][0]) == (2, 1)
    assert told[RECOGNITION][1] + told[PROVISIONAL_WORDS][1] == pytest.approx(7.0, abs=0.5), (
        "and the time of those who call"
    )


def test_the_time_of_shared_threads_is_shared_out_by_how_long_calls_took() -> None:
    spent_s = 0.0
    shared = ProcessorTimeSplit(lambda: spent_s)
    assert shared.processor_s("windows") == 0, "nothing was called"
    shared.add("windows", 3.0, 0.0)
    shared.add("guesses", 0.5, 0.25)
    shared.add("guesses", 0.5, 0.25)
    spent_s = 8.0
    assert (shared.processor_s("windows"), shared.processor_s("guesses"), shared.processor_s("another")) == (
        6.0,
        2.5,
        0.0,
    )


class HeldDiarizer:
    """Runs calls of any size for as long as it is told to."""

    frame_samples, latency_samples, max_speakers, sessions_per_pass = 1280, 1280, 4, 64

    def __init__(self, *, on_gpu: bool) -> None:
        self.on_gpu, self.calls_at_once = on_gpu, 2 if on_gpu else 1
        self.free = threading.Event()
        self.under_way = self.most_at_once = 0
        self._lock = threading.Lock()

    def initial_state(self) -> None:
        """See FrameDiarizer."""

    def needed_samples(self, state: Any) -> int:
        """See FrameDiarizer."""
        return 1280

    def __call__(self, work: Sequence[StreamInput]) -> list[tuple[np.ndarray, Any]]:
        with self._lock:
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        assert self.free.wait(300)
        with self._lock:
            self.under_way -= 1
        return [(np.zeros((1, 4), np.float32), None) for _ in work]


@pytest.mark.parametrize("on_gpu", [False, True], ids=["cpu", "gpu"])
async def test_chunks_of_many_sessions_share_a_call_on_a_gpu_and_two_calls_run_at_once(
    engine: ModelEngine, on_gpu: bool
) -> None:
    diarizer = HeldDiarizer(on_gpu=on_gpu)
    own = ModelEngine(replace(engine.models, diarizer=diarizer))
    own.sessions = 40
    queue = own.diarizer
    assert queue is not None
    try:
        # Without waiting, the first would have a call of its own, and the others the next. All come within one turn of
        # the loop: a busy machine may stand still for longer than the window.
        tasks = [asyncio.create_task(queue.submit(owner, StreamInput(SECOND, None))) for owner in range(40)]
        async with asyncio.timeout(60):
            while diarizer.under_way < 1:
                await asyncio.sleep(0.001)
        assert queue.statistics.largest == (40 if on_gpu else 1)
        assert queue.statistics.longest_wait_s >= (GPU_WINDOW_S if on_gpu else 0)
        # A second call does not wait for the first on a GPU, and does on a CPU.
        later = asyncio.create_task(queue.submit("later", StreamInput(SECOND, None)))
        async with asyncio.timeout(60):
            while on_gpu and diarizer.under_way < 2:
                await asyncio.sleep(0.001)
        diarizer.free.set()
        await asyncio.gather(*tasks, later)
        assert diarizer.most_at_once == diarizer.calls_at_once
        # A session that is alone waits for nobody.
        own.sessions = 1
        alone = asyncio.create_task(queue.submit("alone", StreamInput(SECOND, None)))
        await asyncio.sleep(0)
        assert not queue.waiting
        await alone
    finally:
        diarizer.free.set()
        await own.close()

"""Threads that run models beside the event loop, with their processor time counted."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")
# Added to the process's: a tenth of the weight. Quality is reported at a session's end, speakers and words at once.
LOW_PRIORITY_NICENESS = 10


class SingleThreadModel(Generic[Work, Result]):
    """A model on a thread of its own: one call at a time, with its processor time counted."""

    def __init__(self, call: Callable[[list[Work]], list[Result]], *, low_priority: bool = False) -> None:
        """``low_priority``: run at low priority."""
        self._call = call
        self._thread = ThreadPoolExecutor(
            1, thread_name_prefix="model", initializer=_lower_priority if low_priority else None
        )
        self.processor_s = 0.0

    async def __call__(self, work: list[Work]) -> list[Result]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._timed, work)

    def _timed(self, work: list[Work]) -> list[Result]:
        began = time.thread_time()
        try:
            return self._call(work)
        finally:
            self.processor_s += time.thread_time() - began

    def close(self) -> None:
        """Wait for the running call."""
        self._thread.shutdown(wait=True)


def _lower_priority() -> None:
    """Give this thread a tenth of the weight of others, where the system supports it.

    No less: a meeting that ends waits for its scores, even on a machine that is never idle.
    """
    if sys.platform == "linux":
        niceness = os.getpriority(os.PRIO_PROCESS, os.getpid()) + LOW_PRIORITY_NICENESS
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


class ProcessorTimeSplit:
    """Splits the processor time of a model with threads of its own by the duration of its calls of each kind."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock``: returns the model's processor time so far, seconds."""
        self._clock, self._lock = clock, threading.Lock()
        self._ran_s: dict[object, float] = {}
        self._called_s: dict[object, float] = {}

    def add(self, kind: object, duration_s: float, caller_s: float) -> None:
        """Count a call: its duration and the calling thread's processor time, seconds."""
        with self._lock:
            self._ran_s[kind] = self._ran_s.get(kind, 0.0) + duration_s
            self._called_s[kind] = self._called_s.get(kind, 0.0) + caller_s

    def processor_s(self, kind: object) -> float:
        """Return the processor time of calls of a kind, seconds."""
        with self._lock:
            total_s = sum(self._ran_s.values())
            own_s = self._clock() * self._ran_s.get(kind, 0.0) / total_s if total_s else 0.0
            return own_s + self._called_s.get(kind, 0.0)


class MultiThreadModel(Generic[Work, Result]):
    """Calls of one kind to a model that has threads of its own and runs several calls at once."""

    def __init__(
        self, call: Callable[[list[Work]], list[Result]], parallel: int, time_split: ProcessorTimeSplit
    ) -> None:
        self._call, self._time_split = call, time_split
        self._threads = ThreadPoolExecutor(parallel, thread_name_prefix="model")

    async def __call__(self, work: list[Work]) -> list[Result]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._timed, work)

    def _timed(self, work: list[Work]) -> list[Result]:
        began, spent = time.monotonic(), time.thread_time()
        try:
            return self._call(work)
        finally:
            self._time_split.add(self, time.monotonic() - began, time.thread_time() - spent)

    @property
    def processor_s(self) -> float:
        """Processor time so far, seconds."""
        return self._time_split.processor_s(self)

    def close(self) -> None:
        """Wait for the running calls."""
        self._threads.shutdown(wait=True)

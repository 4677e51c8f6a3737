"""Processor time of CTranslate2's own threads, which Python's clocks do not see."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TASKS = Path("/proc/self/task")


class WorkerThreads:
    """The threads that a model started; on Linux the kernel reports their processor time."""

    def __init__(self) -> None:
        self._threads: list[Path] = []
        self._lock = threading.Lock()
        self._called_s = 0.0

    @classmethod
    @contextmanager
    def recording(cls) -> Iterator[WorkerThreads]:
        """Record the threads that are started within the context."""
        found = cls()
        before = set(TASKS.iterdir()) if TASKS.is_dir() else set()
        yield found
        if TASKS.is_dir():
            found._threads = sorted(set(TASKS.iterdir()) - before)

    def lower_priority(self, niceness: int) -> None:
        """Add to the threads' niceness, where the system supports it."""
        for thread in self._threads:
            number = int(thread.name)
            os.setpriority(os.PRIO_PROCESS, number, os.getpriority(os.PRIO_PROCESS, number) + niceness)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Record the duration of a call, used where the system reports no thread times."""
        began = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._called_s += time.monotonic() - began

    @property
    def processor_s(self) -> float:
        """Processor time so far, seconds."""
        if not self._threads:
            return self._called_s
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in self._threads) / 1e9

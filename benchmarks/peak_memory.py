"""The most memory that processes hold while something is measured."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psutil


class PeakMemory:
    """Resident bytes of processes, each with its children, from ``__init__`` to ``stop``."""

    def __init__(self, pids: dict[str, int], look_every_s: float = 0.05) -> None:
        self._roots = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._look_every_s = look_every_s
        self.peak = dict.fromkeys(pids, 0)
        """Of each, bytes."""
        self.together = 0
        """Of all at the same moment, bytes."""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stopped.wait(self._look_every_s):
            held = {name: resident_bytes(root) for name, root in self._roots.items()}
            self.together = max(self.together, sum(held.values()))
            self.peak = {name: max(peak, held[name]) for name, peak in self.peak.items()}

    def stop(self) -> None:
        """No more looks."""
        self._stopped.set()
        self._thread.join()


def resident_bytes(root: psutil.Process) -> int:
    """Return the resident memory of a process and its children now, bytes."""
    return _together(root, lambda process: process.memory_info().rss)


def shared_out_bytes(root: psutil.Process) -> int:
    """Return the memory of a process and its children now, bytes; a page that n processes share counts 1/n in each."""
    return _together(root, lambda process: process.memory_full_info().pss)


def _together(root: psutil.Process, size_of: Callable[[psutil.Process], int]) -> int:
    total = 0
    for process in (root, *root.children(recursive=True)):
        try:
            total += size_of(process)
        except psutil.NoSuchProcess:
            continue
    return total

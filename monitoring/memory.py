"""How much memory this process may still take: of the machine, and of the control groups (containers) that it is in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def available_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Return how many bytes processes may take before the kernel ends one; None where that is unknown (not Linux).

    Memory that holds copies of files counts as free: the kernel gives it away.
    """
    rooms = [*_of_machine(proc), *_of_groups(proc, cgroups)]
    return max(0, min(rooms)) if rooms else None


class MemoryReserve:
    """Memory that new work leaves free, for the work that was accepted."""

    def __init__(self, reserve_bytes: int, proc: Path = PROC, cgroups: Path = CGROUPS) -> None:
        """``reserve_bytes``: what must stay free, bytes; 0: nothing."""
        self._reserve_bytes, self._proc, self._cgroups = reserve_bytes, proc, cgroups

    def is_short(self) -> bool:
        """Return whether less is free than must stay free."""
        if not self._reserve_bytes:
            return False
        available = available_memory(self._proc, self._cgroups)
        return available is not None and available < self._reserve_bytes


def _of_machine(proc: Path) -> Iterator[int]:
    try:
        for line in (proc / "meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return


def _of_groups(proc: Path, cgroups: Path) -> Iterator[int]:
    """Yield the room in each group from the process's own to the root, as far as they have limits."""
    try:
        lines = [line.split(":", 2) for line in (proc / "self/cgroup").read_text().splitlines()]
    except OSError:
        return
    for controllers, path in ((line[1], line[2]) for line in lines if len(line) == 3):
        if not controllers:
            yield from _of_ancestors(cgroups, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _of_ancestors(cgroups / "memory", path, *names)


def _of_ancestors(root: Path, path: str, limit: str, used: str, reclaimable: str) -> Iterator[int]:
    """Yield the room of a group and those above it; the names are those of version 2 or 1 of control groups."""
    own = root / path.lstrip("/")
    # The path is as seen from outside where a container has a view of its own: then the root is the container's group.
    for group in (own, *own.parents):
        if ".." in group.parts:
            continue
        if not group.is_relative_to(root):
            return
        try:
            # "max" where the group has no limit; the root of the machine has no such file.
            room = int((group / limit).read_text()) - int((group / used).read_text())
            statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            yield room + int(statistics.get(reclaimable, 0))
        except (OSError, ValueError):
            continue

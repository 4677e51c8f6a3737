"""Limits that a child process sets on itself before it reads untrusted input: memory, time, files, lifetime.

The parent's part is ``server/sandbox.py``. Few imports, so that children start fast.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

# Environment variable with the parent's process id.
PARENT = "MEETRA_PARENT_PID"
# Seconds from SIGXCPU to SIGKILL.
CPU_GRACE_S = 5


def confine(*, memory_bytes: int, open_files: int, cpu_s: int | None = None, file_bytes: int | None = None) -> None:
    """Limit this process permanently; None leaves a limit unchanged. Exits if the parent is gone.

    Args:
        memory_bytes: address space.
        open_files: number of open files.
        cpu_s: processor time, seconds; exceeding it raises SIGXCPU, which the parent can tell from a crash.
        file_bytes: size of written files.
    """
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if cpu_s is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + CPU_GRACE_S))
    if file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    die_with_parent()


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends (Linux only)."""
    if sys.platform != "linux":
        return
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    parent = os.environ.get(PARENT)
    if parent is not None and os.getppid() != int(parent):  # ended before the request
        os._exit(1)

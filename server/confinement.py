"""What a child for hostile input takes from itself before it touches any: memory, time, files, and a life of its own.

The parent's half is ``server/sandbox.py``. Imports little: a child is to start in no time.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

# The variable that tells a child who started it.
PARENT = "MEETRA_PARENT_PID"
# Between the signal that says "too long" and the one that nobody can ignore.
CPU_GRACE_S = 5


def confine(*, memory_bytes: int, open_files: int, cpu_s: int | None = None, file_bytes: int | None = None) -> None:
    """Limits this process for good; None leaves a limit as it is. Does not return where the parent is gone.

    One that uses more than ``cpu_s`` ends by SIGXCPU, so that its parent can tell it from one that crashed.
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
    """Has the system kill this process when its parent is gone, where it can do that (Linux)."""
    if sys.platform != "linux":
        return
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    parent = os.environ.get(PARENT)
    if parent is not None and os.getppid() != int(parent):  # it was gone before we asked
        os._exit(1)

"""Run an inference server that ends with its parent: ``python -m inference.ray.server_process PARENT``."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from inference.__main__ import main

PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends (Linux only).

    Args:
        parent: its process id.

    Raises SystemExit where it has ended already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        sys.exit("the inference server is not started: the process that started it has ended")


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    sys.exit(main())

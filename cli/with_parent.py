"""Becomes a program that is told to stop when its parent is gone: ``python with_parent.py SIGNAL PARENT PROGRAM...``.

Linux alone. Run as a file by a bare interpreter (``-I -S``), so it imports nothing of ours.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Does not return."""
    stop_signal, parent, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(stop_signal))
    if os.getppid() != int(parent):
        sys.exit(f"{command[0]} is not started: whoever asked for it is gone")
    os.execvp(command[0], command)  # noqa: S606 - there is no shell


if __name__ == "__main__":
    main()

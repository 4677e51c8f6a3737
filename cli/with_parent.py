"""Exec a program that gets a signal when its parent ends: ``python with_parent.py SIGNAL PARENT NICENESS PROGRAM...``.

Linux only. Run as a file by a bare interpreter (``-I -S``), so it imports none of our modules.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Request the signal, lower the priority and exec the program; does not return."""
    stop_signal, parent, niceness, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(stop_signal))
    if os.getppid() != int(parent):
        sys.exit(f"{command[0]} not started: the parent process has ended")
    os.nice(int(niceness))
    os.execvp(command[0], command)  # noqa: S606 - there is no shell


if __name__ == "__main__":
    main()

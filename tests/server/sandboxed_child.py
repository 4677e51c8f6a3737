"""A child for the tests of the sandbox: ``python -m tests.server.sandboxed_child exit|wait|mute|double|endless``."""

from __future__ import annotations

import os
import signal
import sys

from server.confinement import confine


def main() -> None:
    what = sys.argv[1]
    if what == "double" and os.fork() == 0:  # what no confined child can
        what = "wait"
    else:
        confine(memory_bytes=2**32, open_files=32)
    while what == "endless":
        sys.stdout.write("x" * 65_536)
    print(os.getpid(), *sorted(os.environ), flush=True)
    if what == "exit":
        sys.exit(3)
    if what == "mute":
        os.close(1)
    signal.pause()


if __name__ == "__main__":
    main()

"""``meetra models``: the inference side's own command, in a process of its own.

The server imports nothing of ``inference``; what either says to the other goes over gRPC or a command line.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

DESCRIPTION = "List, pull, verify and export models."


def run_models(arguments: Sequence[str]) -> int:
    """Runs the command on this terminal and returns its exit code."""
    with subprocess.Popen([sys.executable, "-m", "inference.catalogue", *arguments]) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                # The terminal told the command too; it ends, and says how to go on.
                continue

"""``meetra models``: the inference side's own command, in a separate process.

The server imports nothing from ``inference``; they communicate by gRPC and command lines only.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence


def run_models(arguments: Sequence[str]) -> int:
    """Run the command on this terminal and return its exit code."""
    with subprocess.Popen([sys.executable, "-m", "inference.catalogue", *arguments]) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                # The terminal interrupts the child too; it ends by itself and says how to continue.
                continue

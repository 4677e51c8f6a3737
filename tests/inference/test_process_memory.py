"""Memory of large blocks is not asked for anew each time."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.children

# Counts the pages that the system has to provide for a block that is had and given back again and again by a thread.
AGAIN_AND_AGAIN = """
import resource, sys, threading
import numpy as np
from inference.process_memory import keep_freed_blocks

if sys.argv[1] == "kept":
    assert keep_freed_blocks()

def use(times):
    for _ in range(times):
        np.empty(72 * 1024 * 1024, np.uint8)[::4096] = 1

def in_thread(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    thread = threading.Thread(target=use, args=(times,))
    thread.start()
    thread.join()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

in_thread(1)
print(in_thread(10))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other ways")
def test_large_blocks_are_kept_for_the_next_one() -> None:
    pages = {
        how: int(subprocess.run([sys.executable, "-c", AGAIN_AND_AGAIN, how], check=True, capture_output=True).stdout)
        for how in ("kept", "returned")
    }
    # The system hands out pages of 4 KiB, or of 2 MiB where it may.
    assert 10 * pages["kept"] < pages["returned"], pages

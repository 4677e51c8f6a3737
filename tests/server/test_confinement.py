"""What a child may use once it has confined itself; ``test_sandbox`` starts whole ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from server.confinement import PARENT
from tests.recordings import ROOT

pytestmark = [
    pytest.mark.children,
    pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's"),
]

CONFINED = """
import json, resource
from server.confinement import confine
confine(memory_bytes=512 * 1024**2, open_files=16, cpu_s=7, file_bytes=1000)
names = ("RLIMIT_AS", "RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_FSIZE")
print(json.dumps([resource.getrlimit(getattr(resource, name)) for name in names]))
"""


def run(code: str, parent: int | None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop(PARENT, None)
    if parent is not None:
        environment[PARENT] = str(parent)
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_limits_are_set_for_good() -> None:
    done = run(CONFINED, os.getpid())
    assert json.loads(done.stdout) == [[512 * 1024**2] * 2, [16, 16], [0, 0], [7, 12], [1000, 1000]], done.stderr


def test_memory_beyond_the_limit_is_not_given() -> None:
    done = run(
        CONFINED + "\ntry:\n    bytearray(600 * 1024**2)\nexcept MemoryError:\n    print('refused')", os.getpid()
    )
    assert done.stdout.endswith("refused\n"), done.stderr


def test_a_child_whose_parent_has_gone_does_not_begin() -> None:
    assert run(CONFINED + "\nprint('begun')", 1).returncode == 1


def test_a_child_dies_when_its_parent_does() -> None:
    # The parent starts a child that waits for ever, says its number, and dies.
    parent = """
import subprocess, sys
code = "import time, server.confinement as c; c.die_with_parent(); print(flush=True); time.sleep(600)"
started = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
started.stdout.readline()
print(started.pid, flush=True)
"""
    done = run(parent, None)
    child = int(done.stdout)
    # It is killed by the kernel; whoever adopts it may take a moment to bury it.
    for _ in range(600):
        try:
            os.kill(child, 0)
            if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child outlived its parent")

"""A disk so small that tests fill it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kilobytes: int, files: int = 1000) -> Iterator[Path]:
    """A new disk of so many kilobytes and files, mounted on ``folder``; skips the test where nobody may mount one."""
    if sys.platform != "linux" or os.geteuid():
        pytest.skip("needs a disk to fill: run the tests as root on Linux, who may mount a tmpfs")
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,nr_inodes={files}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"needs a disk to fill, and none can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> list[Path]:
    """As many empty files as the folder's disk has room for."""
    made: list[Path] = []
    try:
        while True:
            path = folder / f"ballast-{len(made)}"
            path.touch()
            made.append(path)
    except OSError:
        return made

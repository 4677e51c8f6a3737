"""Where the analysis of a track began anew, stored beside its audio: every analysis of the meeting does the same."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from server.disk import detect_full_disk


def read_cuts(path: Path) -> list[int]:
    """Return the stored cuts of a track, in samples at 16 kHz, ascending; none where it has no file.

    A line that a crash left without its end does not count: nothing was said that depends on it.
    """
    try:
        lines = path.read_text().split("\n")[:-1]
    except FileNotFoundError:
        return []
    return [int(line) for line in lines]


class TrackCuts:
    """The cuts of one track. Nothing that depends on a cut is published before the cut is on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.positions = read_cuts(path)

    async def add(self, position: int) -> None:
        """Store a cut after sample ``position``. Raises DiskFull, OSError."""
        await asyncio.to_thread(self._append, position)
        self.positions.append(position)

    def _append(self, position: int) -> None:
        with detect_full_disk(), self._path.open("a+b") as file:
            # What a crash left of a line goes.
            file.seek(0)
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)
            file.write(f"{position}\n".encode())
            file.flush()
            os.fsync(file.fileno())

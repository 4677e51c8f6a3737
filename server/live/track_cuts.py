"""Where the analysis of a track began anew, stored beside its audio: every analysis of the meeting does the same."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from server.disk import detect_full_disk


def read_cuts(path: Path) -> list[int]:
    """Return the stored cuts of a track, in samples at 16 kHz, ascending; none where it has no file."""
    return [position for position, _ in _read(path)]


def _read(path: Path) -> list[tuple[int, int]]:
    """Return each cut with the length of the audio log then, bytes.

    A line that a crash left without its end does not count: nothing was said that depends on it.
    """
    try:
        lines = path.read_text().split("\n")[:-1]
    except FileNotFoundError:
        return []
    return [(int(position), int(size)) for position, size in map(str.split, lines)]


class TrackCuts:
    """The cuts of one track. Nothing that depends on a cut is published before the cut is on disk."""

    def __init__(
        self,
        path: Path,
        check_holder: Callable[[], None] = lambda: None,
        on_added: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """
        Args:
            check_holder: raises where this process does not hold the meeting any more.
            on_added: awaited once a cut is on disk, before anything depends on it.
        """
        self._path, self._check_holder, self._on_added = path, check_holder, on_added
        self._cuts = _read(path)

    @property
    def positions(self) -> list[int]:
        """The cuts, in samples at 16 kHz, ascending."""
        return [position for position, _ in self._cuts]

    @property
    def closed_bytes(self) -> int:
        """Length of the track's audio log at the last cut, bytes; -1 without one, or if audio followed it already."""
        return self._cuts[-1][1] if self._cuts else -1

    async def add(self, position: int, log_bytes: int) -> None:
        """Store a cut after sample ``position``, at the end of so many bytes of the log.

        Args:
            log_bytes: -1 if audio follows already.

        Raises MeetingLost, DiskFull, OSError.
        """
        await asyncio.to_thread(self._append, position, log_bytes)
        if self._on_added is not None:
            await self._on_added()
        self._cuts.append((position, log_bytes))

    def _append(self, position: int, log_bytes: int) -> None:
        with detect_full_disk(), self._path.open("a+b") as file:
            self._check_holder()
            # What a crash left of a line goes.
            file.seek(0)
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)
            file.write(f"{position} {log_bytes}\n".encode())
            file.flush()
            os.fsync(file.fileno())

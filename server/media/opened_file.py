"""A file that is read after this process lost the right to open any."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class OpenedFile:
    """An open file, in the place of its path: each ``open`` reads from the start, independently of the others."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY)

    def open(self, mode: Literal["rb"]) -> io.BufferedReader:
        """Return a reader of the file."""
        assert mode == "rb"
        return io.BufferedReader(_Reader(self.descriptor))

    def stat(self) -> os.stat_result:
        """Return the file's facts."""
        return os.fstat(self.descriptor)


class _Reader(io.RawIOBase):
    """Reads a descriptor at a position of its own, and leaves it open."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._at = descriptor, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        data = os.pread(self._descriptor, len(view), self._at)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        size = os.fstat(self._descriptor).st_size if whence == os.SEEK_END else 0
        self._at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: size}[whence] + offset
        return self._at


Recording = Path | OpenedFile
"""What decoding reads."""

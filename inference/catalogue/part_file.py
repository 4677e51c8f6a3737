"""A partial download: its bytes so far, its length, and its digest."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Self

BLOCK = 1024 * 1024


class PartFile:
    """Appends bytes up to an announced size, and hashes them as they arrive."""

    def __init__(self, path: Path, size: int) -> None:
        """Open and hash the existing bytes; drop them if they are too many.

        Args:
            path: of the part file; its folder is created where missing.
            size: of the whole file, bytes.
        """
        self.path, self.size = path, size
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        self._start_over()
        self._file.seek(0)
        while block := self._file.read(BLOCK):
            self._hash(block)
        if self.length > size:
            self.restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def restart(self) -> None:
        """Drop all bytes."""
        self._file.truncate(0)
        self._start_over()

    def append(self, block: bytes) -> bool:
        """Append bytes; return False, without appending, where they exceed the size."""
        if self.length + len(block) > self.size:
            return False
        self._file.write(block)
        self._hash(block)
        return True

    def sync(self) -> None:
        """Flush all bytes to disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes so far, hexadecimal."""
        return self._sha256.hexdigest()

    @property
    def git_sha1(self) -> str:
        """Git's object name of the bytes, valid once the file is complete."""
        return self._git.hexdigest()

    def _start_over(self) -> None:
        self.length = 0
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)

    def _hash(self, block: bytes) -> None:
        self.length += len(block)
        self._sha256.update(block)
        self._git.update(block)

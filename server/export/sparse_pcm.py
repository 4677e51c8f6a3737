"""Decoded sound on disk: hours of silence may stand for a pause, and are holes in the file, which take no room."""

from __future__ import annotations

import os
from typing import BinaryIO

from server.disk import DiskReserve, detect_full_disk


def write_pcm(file: BinaryIO, data: bytes, disk: DiskReserve | None) -> None:
    """Append samples; ``end_pcm`` ends the file. Raises DiskFull.

    Args:
        disk: whose reserve stays free; None: of no disk.
    """
    if not data.strip(b"\0"):
        file.seek(len(data), os.SEEK_CUR)
        return
    if disk is not None:
        disk.require(len(data))
    with detect_full_disk():
        file.write(data)
        file.flush()


def end_pcm(file: BinaryIO) -> None:
    """End a file where it was last written, or passed over. Raises DiskFull."""
    with detect_full_disk():
        file.truncate(file.tell())
        file.flush()

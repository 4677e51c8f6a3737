"""The links of an Ogg file: streams that were put one after the other, as web radio and recorders do (RFC 3533, 4).

Each link begins with its own headers and may have another rate, other channels, another codec. The demuxer takes the
first link's for all of them, so each is opened as a file of its own.
"""

from __future__ import annotations

import mmap
import os
import re
from pathlib import Path
from typing import BinaryIO

from server.media.ogg import checksum

PAGE_HEADER_BYTES = 27
# A page that begins a stream: the capture pattern, version 0, and the flag for it.
BEGINNING = re.compile(rb"OggS\x00[\x02\x06]")
# Of more links the rest is taken for one; a day of radio has some hundred.
MAX_LINKS = 2000
# Bytes of pages that turn out to be none: an enemy's file may hold nothing else.
MAX_FALSE_BYTES = 64 * 1024 * 1024


def ogg_links(path: Path) -> list[tuple[int, int]]:
    """Where the links of a file lie, (first byte, byte after the last); none where it is no Ogg file of several."""
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            begins = _beginnings(data)
    ends = [*begins[1:], path.stat().st_size]
    return list(zip(begins, ends, strict=True)) if len(begins) > 1 else []


def _beginnings(data: mmap.mmap) -> list[int]:
    """Where each link begins: a page that begins a stream, and does not follow another such page."""
    begins: list[int] = []
    after_beginning = -1
    false_bytes = 0
    for found in BEGINNING.finditer(data):
        at = found.start()
        page = _page(data, at)
        end = at + len(page)
        if checksum(page) != int.from_bytes(page[22:26], "little"):
            false_bytes += len(page)
            if false_bytes > MAX_FALSE_BYTES:
                break
            continue
        if at != after_beginning:
            begins.append(at)
        after_beginning = end
        if len(begins) == MAX_LINKS:
            break
    return begins


def _page(data: mmap.mmap, at: int) -> bytes:
    """The page at a place, by the sizes that its header states; shorter where the file ends before it."""
    header = data[at : at + PAGE_HEADER_BYTES].ljust(PAGE_HEADER_BYTES, b"\0")
    lacing = data[at + PAGE_HEADER_BYTES : at + PAGE_HEADER_BYTES + header[26]]
    return data[at : at + PAGE_HEADER_BYTES + len(lacing) + sum(lacing)].ljust(PAGE_HEADER_BYTES, b"\0")


class FilePart:
    """A part of a file as a file to read."""

    def __init__(self, file: BinaryIO, first: int, end: int) -> None:
        self._file, self._first, self._size = file, first, end - first
        self._at = 0

    def read(self, size: int) -> bytes:
        self._file.seek(self._first + self._at)
        data = self._file.read(max(0, min(size, self._size - self._at)))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

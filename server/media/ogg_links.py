"""Chained Ogg files: streams in sequence, as web radio and recorders write them (RFC 3533, section 4).

Each link has its own headers, and possibly another rate, channel count or codec. The demuxer applies the first link's
to all, so each link is opened as a file of its own.
"""

from __future__ import annotations

import mmap
import os
import re
from typing import BinaryIO

from server.media.ogg import checksum
from server.media.opened_file import Recording

PAGE_HEADER_BYTES = 27
# First page of a stream: capture pattern, version 0, and the BOS flag.
FIRST_PAGE = re.compile(rb"OggS\x00[\x02\x06]")
# Beyond this many links the rest counts as one; a day of radio has some hundred.
MAX_LINKS = 2000
# Limit of bytes in false page matches: a malicious file may consist of them.
MAX_FALSE_BYTES = 64 * 1024 * 1024


def find_ogg_links(path: Recording) -> list[tuple[int, int]]:
    """Return the byte ranges (start, end) of a chained file's links; empty for any other file."""
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            begins = _find_link_starts(data)
    ends = [*begins[1:], path.stat().st_size]
    return list(zip(begins, ends, strict=True)) if len(begins) > 1 else []


def _find_link_starts(data: mmap.mmap) -> list[int]:
    """Return the start of each link: a BOS page that does not directly follow another one."""
    begins: list[int] = []
    after_beginning = -1
    false_bytes = 0
    for found in FIRST_PAGE.finditer(data):
        offset = found.start()
        page = _page(data, offset)
        end = offset + len(page)
        if checksum(page) != int.from_bytes(page[22:26], "little"):
            false_bytes += len(page)
            if false_bytes > MAX_FALSE_BYTES:
                break
            continue
        if offset != after_beginning:
            begins.append(offset)
        after_beginning = end
        if len(begins) == MAX_LINKS:
            break
    return begins


def _page(data: mmap.mmap, offset: int) -> bytes:
    """Return the page at ``offset``, by the sizes in its header; shorter at the end of the file."""
    header = data[offset : offset + PAGE_HEADER_BYTES].ljust(PAGE_HEADER_BYTES, b"\0")
    lacing = data[offset + PAGE_HEADER_BYTES : offset + PAGE_HEADER_BYTES + header[26]]
    return data[offset : offset + PAGE_HEADER_BYTES + len(lacing) + sum(lacing)].ljust(PAGE_HEADER_BYTES, b"\0")


class FilePart:
    """A byte range of a file as a file object, for PyAV."""

    def __init__(self, file: BinaryIO, first: int, end: int) -> None:
        self._file, self._first, self._size = file, first, end - first
        self._offset = 0

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes."""
        self._file.seek(self._first + self._offset)
        data = self._file.read(max(0, min(size, self._size - self._offset)))
        self._offset += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Seek as in ``io.IOBase.seek``."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._offset, os.SEEK_END: self._size}[whence]
        self._offset = max(0, start + offset)
        return self._offset

    def tell(self) -> int:
        """Return the position within the range."""
        return self._offset

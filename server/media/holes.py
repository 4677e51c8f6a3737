"""Detection of missing bytes in media files.

Most demuxers silently resume after a hole, so that lost audio looks like a pause of the recorder.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from server.media.file_kind import MATROSKA
from server.media.matroska import has_missing_elements
from server.media.opened_file import Recording

OGG, FLAC = b"OggS", b"fLaC"
PAGE_HEADER_BYTES = 27
BEGINS_STREAM = 2
# Pages of 50 ms for a day of audio.
MAX_PAGES = 2_000_000


def has_hole(path: Recording) -> bool:
    """Return whether bytes are missing from a file with a time gap or less audio than it states.

    False for formats that cannot show it.
    """
    with path.open("rb") as file:
        start, size = file.read(4), os.fstat(file.fileno()).st_size
        if start == MATROSKA:
            return has_missing_elements(file, size)
        if start == OGG:
            return _has_missing_pages(file)
        # FLAC counts its samples and cannot skip any.
        return start == FLAC


def _has_missing_pages(file: BinaryIO) -> bool:
    """Return whether a page lacks a successor, or the page numbers of a stream have a gap."""
    offset, numbers = 0, dict[bytes, int]()
    for _ in range(MAX_PAGES):
        file.seek(offset)
        header = file.read(PAGE_HEADER_BYTES)
        if len(header) < PAGE_HEADER_BYTES:
            return False
        if not header.startswith(OGG):
            return True
        stream, number = header[14:18], int.from_bytes(header[18:22], "little")
        if stream in numbers and not header[5] & BEGINS_STREAM and number != numbers[stream] + 1:
            return True
        numbers[stream] = number
        lacing = file.read(header[26])
        offset += PAGE_HEADER_BYTES + len(lacing) + sum(lacing)
    return False

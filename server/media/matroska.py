"""Detection of missing or overwritten elements in Matroska and WebM files.

Elements are walked by their sizes only (RFC 8794, RFC 9559).
"""

from __future__ import annotations

from typing import BinaryIO

HEADER, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
VOID, CHECKSUM = 0xEC, 0xBF
# Seek head, information, tracks, cues, attachments, chapters, tags.
SEGMENT_CHILDREN = frozenset(
    {0x114D9B74, 0x1549A966, 0x1654AE6B, CLUSTER, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, VOID, CHECKSUM}
)
# Timestamp, silent tracks, position, previous size, and the forms of blocks.
CLUSTER_CHILDREN = frozenset({0xE7, 0x5854, 0xA7, 0xAB, 0xA3, 0xA0, 0xAF, VOID, CHECKSUM})
MAX_HEAD_BYTES = 12
# More than eight hours of 20 ms packets with video need; beyond it the walk ends.
MAX_ELEMENTS = 3_000_000


def has_missing_elements(file: BinaryIO, size: int) -> bool:
    """Return True if an element lacks a valid successor, or more bytes are stated than exist.

    A file without stated sizes that ends early, as when a browser is closed, lacks none.

    Args:
        size: file size in bytes.
    """
    offset, segment_end, cluster_end = 0, None, None
    allowed = frozenset({HEADER, SEGMENT, VOID})
    for _ in range(MAX_ELEMENTS):
        if offset == segment_end or offset >= size:
            return segment_end is not None and segment_end > size
        if offset == cluster_end:
            allowed, cluster_end = SEGMENT_CHILDREN, None
        element = _head(file, offset)
        if element is None:
            # A partial element head at the end of the file is an early end.
            return offset + MAX_HEAD_BYTES <= size or (segment_end is not None and segment_end > size)
        identity, begin, length = element
        if allowed is CLUSTER_CHILDREN and cluster_end is None and identity in SEGMENT_CHILDREN - CLUSTER_CHILDREN:
            # A cluster of unknown size ends at the next segment-level element.
            allowed = SEGMENT_CHILDREN
        if identity not in allowed:
            return True
        end = None if length is None else begin + length
        if identity == SEGMENT:
            allowed, segment_end, offset = SEGMENT_CHILDREN, end, begin
        elif identity == CLUSTER:
            allowed, cluster_end, offset = CLUSTER_CHILDREN, end, begin
        elif end is None or (cluster_end is not None and end > cluster_end):
            return True
        else:
            offset = end
    return False


def _head(file: BinaryIO, offset: int) -> tuple[int, int, int | None] | None:
    """Parse the element head at ``offset``: (id, start of its content, length of the content), None if invalid.

    The length is None where it is unknown.
    """
    file.seek(offset)
    head = file.read(MAX_HEAD_BYTES)
    name_bytes = 9 - head[0].bit_length() if head else 9
    if name_bytes > 4 or len(head) <= name_bytes:
        return None
    size_bytes = 9 - head[name_bytes].bit_length()
    begin = name_bytes + size_bytes
    if size_bytes > 8 or len(head) < begin:
        return None
    unknown = (1 << 7 * size_bytes) - 1
    length = int.from_bytes(head[name_bytes:begin], "big") & unknown
    return int.from_bytes(head[:name_bytes], "big"), offset + begin, None if length == unknown else length

"""Segments: what a live meeting's files have grown by, in one object of an object store for all of its tracks.

The objects of a meeting, beside its other kept files:

- ``live-<fence>-<number>``: a segment, by the fence of the holder that wrote it and its place among that holder's.
- ``live-<fence>-<first>-<last>``: several of them in one, in their place.
- ``live-over-<fence>``: that holder is none any more. It is written before the next holder reads what there is, and
  each holder looks for its own after a segment is there, before that counts.
- ``live-whole``: the meeting's files are there as objects of their own, and the segments count no more.

Carried out in the order of fences and numbers, segments make the files: each says where in a file its bytes begin, and
what the file had from there on goes. A holder's first one says so of every file, so that what the holder before it
wrote too late does not count.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from server.audio.kept_files import LIVE_FILE, LIVE_SEGMENTS
from server.audio.object_store import StoreUnavailable

WHOLE = f"{LIVE_SEGMENTS}whole"
_OVER = f"{LIVE_SEGMENTS}over-"
_NAME = re.compile(LIVE_SEGMENTS + r"(\d{10})-(\d{10})(?:-(\d{10}))?")
_FORMAT = 1


class SegmentsDamaged(StoreUnavailable):
    """What the object store has of a live meeting cannot be put together."""


class SegmentName(NamedTuple):
    """What the name of an object says of the segments in it."""

    fence: int
    first: int
    last: int

    @property
    def text(self) -> str:
        """The name."""
        last = f"-{self.last:010}" if self.last > self.first else ""
        return f"{LIVE_SEGMENTS}{self.fence:010}-{self.first:010}{last}"


def over_name(fence: int) -> str:
    """Return the name of the object that says that a holder is none any more."""
    return f"{_OVER}{fence:010}"


def segment_names(names: Iterable[str]) -> list[SegmentName]:
    """Return the segments among the names of objects."""
    found = map(_NAME.fullmatch, names)
    return [SegmentName(int(n[1]), int(n[2]), int(n[3] or n[2])) for n in found if n is not None]


def in_order(names: Iterable[SegmentName]) -> list[SegmentName]:
    """Return the segments to carry out, in their order: where several are in one object, that stands for them.

    Raises SegmentsDamaged if one is missing.
    """
    ordered: list[SegmentName] = []
    for name in sorted(names, key=lambda one: (one.fence, one.first, -one.last)):
        before = ordered[-1] if ordered and ordered[-1].fence == name.fence else None
        following = before.last + 1 if before else 0
        if name.last < following:
            # It is in the one before.
            continue
        if name.first != following:
            raise SegmentsDamaged(f"segment {following} of holder {name.fence} is missing")
        ordered.append(name)
    return ordered


@dataclass(frozen=True, slots=True)
class Grown:
    """What a file has from a place on."""

    name: str
    start: int
    """Bytes of the file before ``data``; others after these go."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """What files have grown by."""

    lengths: Mapping[str, int]
    """Of every file, after this segment, bytes."""
    grown: tuple[Grown, ...]

    def encode(self) -> bytes:
        """Return the bytes of an object."""
        data = b"".join(one.data for one in self.grown)
        head = {
            "format": _FORMAT,
            "lengths": dict(self.lengths),
            "grown": [[one.name, one.start, len(one.data)] for one in self.grown],
            "crc32": zlib.crc32(data),
        }
        return json.dumps(head, separators=(",", ":")).encode() + b"\n" + data

    @classmethod
    def decode(cls, raw: bytes) -> Segment:
        """Return the segment of an object. Raises SegmentsDamaged."""
        head, _, data = raw.partition(b"\n")
        try:
            said = json.loads(head)
            if said["format"] != _FORMAT:
                raise SegmentsDamaged(f"a segment has the format {said['format']}, of a newer version")
            places = [(str(name), int(start), int(size)) for name, start, size in said["grown"]]
            lengths = {str(name): int(length) for name, length in said["lengths"].items()}
            crc32 = said["crc32"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SegmentsDamaged(f"a segment cannot be read: {error}") from None
        if sum(size for _, _, size in places) != len(data) or zlib.crc32(data) != crc32:
            raise SegmentsDamaged("a segment is not what was written")
        grown, end = [], 0
        for name, start, size in places:
            # Names become paths.
            if LIVE_FILE.fullmatch(name) is None or min(start, size) < 0:
                raise SegmentsDamaged(f"a segment has {name!r}, which is no file of a live meeting")
            grown.append(Grown(name, start, data[end : end + size]))
            end += size
        return cls(lengths, tuple(grown))

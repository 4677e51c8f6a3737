"""Sizes of a batched forward pass: few fixed ones, so that compiled code and CUDA graphs of a size are used again.

A pass is padded on both sides: with frames after those of a row, and with rows of length 0. Both are masked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

ALIGNMENT = 8
"""Frames of a pass are a multiple of this: with other lengths, a GPU's matrix products take slow, unaligned kernels."""
# Up to 16 rows a GPU takes hardly longer than for one, so few sizes do there; above, padding costs what it adds.
_ROWS = (1, 4, 16, 32, 64, 96)


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """Size of a pass."""

    rows: int
    frames: int


@dataclass(frozen=True, slots=True)
class Buckets:
    """The fixed sizes of a model's passes: each number of rows with each number of frames."""

    rows: tuple[int, ...]
    """Ascending."""
    frames: tuple[int, ...]
    """Ascending, multiples of ALIGNMENT."""

    def fitting(self, rows: int, frames: int) -> Bucket | None:
        """Return the smallest size for so many rows and frames; None where no fixed size is large enough."""
        enough_rows = next((size for size in self.rows if size >= rows), None)
        enough_frames = next((size for size in self.frames if size >= frames), None)
        if enough_rows is None or enough_frames is None:
            return None
        return Bucket(enough_rows, enough_frames)

    def __iter__(self) -> Iterator[Bucket]:
        """Return all sizes, largest first: memory of a large pass serves the smaller ones after it."""
        return iter(sorted((Bucket(rows, frames) for rows in self.rows for frames in self.frames), reverse=True))

    def __len__(self) -> int:
        return len(self.rows) * len(self.frames)


def aligned(frames: int) -> int:
    """Return ``frames`` rounded up to a multiple of ALIGNMENT."""
    return -(-frames // ALIGNMENT) * ALIGNMENT


def buckets_for(max_rows: int, max_frames: int) -> Buckets:
    """Return the fixed sizes for passes of up to ``max_rows`` sessions with up to ``max_frames`` frames each.

    There is one length: of sessions older than minutes, hardly a pass has no row near it, and they decide how many
    sessions a GPU holds. Younger ones are padded to it.
    """
    rows = tuple(size for size in _ROWS if size < max_rows)
    return Buckets((*rows, max_rows), (aligned(max_frames),))

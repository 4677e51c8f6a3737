"""Streaming measurement of audio level."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator

import numpy as np

from server.audio.encodings import Encoding, TrackFormat
from server.audio.track_decoder import read_samples
from server.media import rms

FULL_SCALE = 32768.0
# -45 dBFS: softer than speech.
QUIET_RMS = FULL_SCALE * 10 ** (-45 / 20)


def is_quiet(format: TrackFormat, data: bytes, samples: int) -> bool:
    """Return whether nobody speaks in the first ``samples`` of a chunk; False where only decoding tells.

    Args:
        data: whole samples in the format.
    """
    if format.position_bytes is None or format.positions_per_second is None:
        return False
    first = read_samples(format, data[: samples * format.position_bytes])
    scale = FULL_SCALE if format.encoding is Encoding.PCM_F32LE else 1.0
    # NaN is not quiet.
    with np.errstate(all="ignore"):
        return rms(first) * scale < QUIET_RMS


class LevelMeter:
    """The level of all audio that passed."""

    def __init__(self) -> None:
        self.samples = 0
        """Number of samples measured."""
        self._energy = 0

    def add(self, pcm: bytes) -> None:
        """Add samples, s16le."""
        samples = np.frombuffer(pcm, "<i2").astype(np.int64)
        self.samples += len(samples)
        # Not BLAS: it would split even this small product over threads, which compete with the models for cores.
        self._energy += int(np.einsum("i,i->", samples, samples))

    def include(self, other: LevelMeter) -> None:
        """Add everything that another meter measured."""
        self.samples += other.samples
        self._energy += other._energy

    @property
    def silent(self) -> bool:
        """Whether there were samples, all of them zero."""
        return bool(self.samples) and not self._energy

    @property
    def dbfs(self) -> float | None:
        """Mean power, dBFS; None without samples or with zeros only."""
        if not self._energy:
            return None
        return 10 * math.log10(self._energy / self.samples) - 20 * math.log10(FULL_SCALE)


async def measure_level(pcm: AsyncIterator[bytes], meter: LevelMeter) -> AsyncGenerator[bytes, None]:
    """Yield the s16le chunks of ``pcm`` unchanged, measured by ``meter``. Close this before ``pcm``."""
    async for chunk in pcm:
        meter.add(chunk)
        yield chunk

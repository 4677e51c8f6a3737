"""The gain of a track whose samples reach far beyond full scale, or far below what 16 bits can say.

Floating-point recordings come in any unit: samples of -32768..32767 instead of -1..1, or volts. One gain for the whole
track keeps what is loud and what is quiet in it apart. Tracks with an ordinary level have none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# What keeps more than 16 bits, but for PCM. Coders that lose something have a scale of their own, and overshoot it.
LOSSLESS = frozenset({"alac", "ape", "flac", "mlp", "tak", "truehd", "tta", "wavpack"})
WIDE_FORMATS = {"s32": 2.0**31, "s32p": 2.0**31, "flt": 1.0, "fltp": 1.0, "dbl": 1.0, "dblp": 1.0}
"""Sample formats with more than 16 bits, and their full scale."""
# PyAV crashes on what has a plane for each of eight channels.
MAX_PLANES = 7
# A decibel beyond full scale: a peak or two of it are cut off, as any converter would.
TOO_LOUD, LOWERED_TO = 1.12, 0.9
# -50 dBFS at the loudest leaves less than 7 bits of sound.
TOO_QUIET, RAISED_TO = 10 ** (-50 / 20), 0.1
# The last bits of 24, and what no float means by sound.
NOTHING_BELOW = {"s32": 2.0**-22, "s32p": 2.0**-22}
NOTHING_BELOW_FLOAT = 1e-12
# So few frames that are so much louder than all others are a fault in the file, not its level.
GLITCH_SHARE, GLITCH = 0.001, 100.0


class Peaks:
    """The loudest sample of each frame of a track."""

    def __init__(self, codec: str) -> None:
        self.measuring = codec.startswith("pcm_") or codec in LOSSLESS
        """Whether the codec can say more than 16 bits."""
        self._peaks: list[float] = []
        self._floor = NOTHING_BELOW_FLOAT

    def hear(self, frame: Any) -> None:
        """The next frame."""
        full_scale = WIDE_FORMATS.get(frame.format.name) if self.measuring else None
        if full_scale is None or (frame.format.is_planar and frame.layout.nb_channels > MAX_PLANES):
            return
        self._floor = NOTHING_BELOW.get(frame.format.name, NOTHING_BELOW_FLOAT)
        samples = frame.to_ndarray()
        if samples.dtype.kind == "f":
            samples = np.where(np.isfinite(samples), samples, 0)
        if samples.size:
            self._peaks.append(max(-float(samples.min()), float(samples.max())) / full_scale)

    def gain(self) -> float:
        """What the track is to be multiplied by."""
        peak = self._loudest()
        if peak > TOO_LOUD:
            return LOWERED_TO / peak
        if self._floor < peak < TOO_QUIET:
            return RAISED_TO / peak
        return 1.0

    def _loudest(self) -> float:
        peaks = sorted(self._peaks)
        if not peaks:
            return 0.0
        glitches = max(1, int(len(peaks) * GLITCH_SHARE))
        if peaks[-1] > TOO_LOUD and len(peaks) > glitches and 0 < peaks[-1 - glitches] * GLITCH < peaks[-1]:
            return peaks[-1 - glitches]
        return peaks[-1]

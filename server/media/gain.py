"""Gain correction of tracks far beyond full scale or far below what 16 bits can represent.

Floating-point recordings come in any unit: -32768..32767 instead of -1..1, or volts. One gain for the whole track
preserves its dynamics. Tracks with an ordinary level get none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# Lossless codecs other than PCM that keep more than 16 bits. Lossy codecs have a fixed scale and may overshoot it.
LOSSLESS = frozenset({"alac", "ape", "flac", "mlp", "tak", "truehd", "tta", "wavpack"})
WIDE_FORMATS = {"s32": 2.0**31, "s32p": 2.0**31, "flt": 1.0, "fltp": 1.0, "dbl": 1.0, "dblp": 1.0}
"""Sample formats with more than 16 bits, and their full scale."""
# PyAV crashes on planar frames of eight channels.
MAX_PLANES = 7
# One decibel over full scale: occasional peaks beyond it are clipped, as any converter does.
TOO_LOUD, LOWERED_TO = 1.12, 0.9
# A peak of -50 dBFS leaves less than 7 bits of signal.
TOO_QUIET, RAISED_TO = 10 ** (-50 / 20), 0.1
# Noise floors: the lowest bits of 24-bit samples, and floats too small to be sound.
NOTHING_BELOW = {"s32": 2.0**-22, "s32p": 2.0**-22}
NOTHING_BELOW_FLOAT = 1e-12
# A share of frames this small that is this much louder than all others is a fault in the file, not its level.
GLITCH_SHARE, GLITCH = 0.001, 100.0


class Peaks:
    """The peak of each frame of a track."""

    def __init__(self, codec: str) -> None:
        self.measuring = codec.startswith("pcm_") or codec in LOSSLESS
        """Whether the codec can represent more than 16 bits."""
        self._peaks: list[float] = []
        self._floor = NOTHING_BELOW_FLOAT

    def add(self, frame: Any) -> None:
        """Measure the next frame."""
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
        """Return the gain factor for the track; 1 for an ordinary level."""
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

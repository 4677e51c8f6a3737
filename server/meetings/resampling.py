"""Audio of any form to what the engine takes: mono at 16 kHz, signed 16-bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000


class MonoResampler:
    """Frames of any rate, format and layout to mono float32 at 16 kHz; channels are averaged.

    A new resampler is made where the stream changes its form half-way.
    """

    def __init__(self) -> None:
        self._resampler: Any = None
        self._form: tuple[Any, ...] = ()
        self._channels = 1

    def __call__(self, frame: Any) -> Iterator[NDArray[np.float32]]:
        form = (frame.sample_rate, frame.format.name, frame.layout.name)
        if form != self._form:
            yield from self.flush()
            # Each channel is resampled and the mean is taken here: the library's own downmix
            # weighs channels by their place in a room, which a recording of people has not.
            # Packed, since PyAV crashes on what has a plane for each of eight channels.
            self._resampler = av.AudioResampler(format="flt", layout=frame.layout, rate=RATE_HZ)
            self._channels = frame.layout.nb_channels
            self._form = form
        frame.pts = None
        for out in self._resampler.resample(frame):
            yield self._mean(out)

    def flush(self) -> Iterator[NDArray[np.float32]]:
        """What is still inside."""
        if self._resampler is not None:
            for out in self._resampler.resample(None):
                yield self._mean(out)
            self._resampler = None
            self._form = ()

    def _mean(self, frame: Any) -> NDArray[np.float32]:
        samples: NDArray[np.float32] = frame.to_ndarray().reshape(-1, self._channels)
        return samples[:, 0] if self._channels == 1 else np.asarray(samples.mean(axis=1), np.float32)


def to_s16(chunk: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples -1..1 as int16; int16 that came as float is the same again, sample for sample."""
    scaled = np.round(np.nan_to_num(chunk) * np.float32(32768.0))
    return np.clip(scaled, -32768, 32767).astype("<i2")

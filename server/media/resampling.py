"""Resampling to 16 kHz: mono, or each channel separately."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
import av.filter
import numpy as np
from numpy.typing import NDArray

from server.media.downmix import Downmix

RATE_HZ = 16_000
# Channel limit of the library's resampler.
MAX_CHANNELS = 64
# Recordings with more channels are resampled in groups of this size.
GROUP = 8
LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""A layout for each channel count; channel positions do not matter here."""


class ChannelResampler:
    """Resample frames of any rate, format and layout to float32 (n, channels) at 16 kHz.

    When the stream changes its format, the old resampler is flushed first, with the old channel count.
    """

    def __init__(self) -> None:
        self._resamplers: list[Any] = []
        self._splitters: list[Splitter] = []
        self._format_key: tuple[Any, ...] = ()
        self._channels = 1

    def __call__(self, frame: Any) -> Iterator[NDArray[np.float32]]:
        format_key = (frame.sample_rate, frame.format.name, frame.layout.name)
        if format_key != self._format_key:
            yield from self.flush()
            self._begin(frame)
            self._format_key = format_key
        frame.pts = None
        if len(self._resamplers) == 1:
            for out in self._resamplers[0].resample(frame):
                yield out.to_ndarray().reshape(-1, self._channels)
        elif self._splitters:
            yield from self._join([splitter(frame) for splitter in self._splitters])
        else:
            yield from self._join(_split_groups(frame))

    def flush(self) -> Iterator[NDArray[np.float32]]:
        """Yield the buffered output."""
        if len(self._resamplers) == 1:
            for out in self._resamplers[0].resample(None):
                yield out.to_ndarray().reshape(-1, self._channels)
        elif self._resamplers:
            yield from self._join([None] * len(self._resamplers))
        self._resamplers, self._splitters, self._format_key = [], [], ()

    def _begin(self, frame: Any) -> None:
        # The library's downmix weights channels by room position, which is meaningless here, so channels are resampled
        # separately. The format is packed, since PyAV crashes on planar frames of eight channels.
        self._channels = frame.layout.nb_channels
        if self._channels <= MAX_CHANNELS:
            self._resamplers = [av.AudioResampler(format="flt", layout=frame.layout, rate=RATE_HZ)]
            return
        firsts = range(0, self._channels, GROUP)
        sizes = [min(GROUP, self._channels - first) for first in firsts]
        if frame.format.is_planar:
            self._splitters = [Splitter(frame, first, size) for first, size in zip(firsts, sizes, strict=True)]
        self._resamplers = [av.AudioResampler(format="flt", layout=LAYOUTS[size], rate=RATE_HZ) for size in sizes]

    def _join(self, groups: list[Any]) -> Iterator[NDArray[np.float32]]:
        """Resample the channel groups in step and yield them joined."""
        parts: list[NDArray[np.float32]] = []
        for resampler, group in zip(self._resamplers, groups, strict=True):
            channels = min(GROUP, self._channels - GROUP * len(parts))
            out = [chunk.to_ndarray().reshape(-1, channels) for chunk in resampler.resample(group)]
            parts.append(np.concatenate([np.zeros((0, channels), np.float32), *out]))
        yield np.concatenate(parts, axis=1)


class Splitter:
    """Extract a few channels from planar frames without copying planes."""

    def __init__(self, frame: Any, first: int, size: int) -> None:
        """
        Args:
            frame: an example of the frames to split.
            first: index of the first channel.
            size: number of channels.
        """
        self._graph = av.filter.Graph()
        source_format = f"sample_fmt={frame.format.name}:channel_layout={frame.layout.name}"
        source = self._graph.add("abuffer", f"time_base=1/{RATE_HZ}:sample_rate={frame.sample_rate}:{source_format}")
        channel_map = "|".join(f"{first + index}-{index}" for index in range(size))
        mapping = self._graph.add("channelmap", f"map={channel_map}:channel_layout={LAYOUTS[size]}")
        sink = self._graph.add("abuffersink")
        source.link_to(mapping)
        mapping.link_to(sink)
        self._graph.configure()

    def __call__(self, frame: Any) -> Any:
        self._graph.push(frame)
        part = self._graph.pull()
        part.pts = None
        return part


def _split_groups(frame: Any) -> list[Any]:
    """Split a packed frame into frames of a few channels each."""
    samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
    groups = []
    for first in range(0, samples.shape[1], GROUP):
        part = samples[:, first : first + GROUP]
        packed = np.ascontiguousarray(part).reshape(1, -1)
        group: Any = av.AudioFrame.from_ndarray(packed, format=frame.format.name, layout=LAYOUTS[part.shape[1]])
        group.sample_rate = frame.sample_rate
        groups.append(group)
    return groups


class MonoResampler:
    """Resample frames of any rate, format and layout to float32 mono at 16 kHz; ``Downmix`` mixes the channels.

    The result does not depend on how the audio is split into frames.
    """

    def __init__(self) -> None:
        self._resampler = ChannelResampler()
        self._downmix: Downmix | None = None
        self._channels = 0

    def __call__(self, frame: Any) -> Iterator[NDArray[np.float32]]:
        for samples in self._resampler(frame):
            yield from self._mix(samples)

    def flush(self) -> Iterator[NDArray[np.float32]]:
        """Yield the buffered output."""
        for samples in self._resampler.flush():
            yield from self._mix(samples)
        yield from self._end_mix()

    def _mix(self, samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        if self._downmix is None or samples.shape[1] != self._channels:
            yield from self._end_mix()
            self._channels = samples.shape[1]
            self._downmix = Downmix(self._channels)
        yield from self._downmix(samples)

    def _end_mix(self) -> Iterator[NDArray[np.float32]]:
        if self._downmix is not None:
            yield from self._downmix.flush()
        self._downmix = None


def to_s16(chunk: NDArray[np.float32]) -> NDArray[np.int16]:
    """Convert float samples -1..1 to int16; a round trip of int16 through float is exact."""
    scaled = np.round(np.nan_to_num(chunk) * np.float32(32768.0))
    return np.clip(scaled, -32768, 32767).astype("<i2")

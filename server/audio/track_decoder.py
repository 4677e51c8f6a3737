"""Incremental decoding of a live track's log to the engine's format: mono int16 at 16 kHz."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, Protocol, TypeVar

import av
import numpy as np
from numpy.typing import NDArray

from server.audio.encodings import OPUS_RATE_HZ, Encoding, TrackFormat
from server.audio.opus_decoder import BATCH_PACKETS, OpusChild
from server.audio.opus_packets import OggReader, Packet, PacketReader, RecordReader, StreamHead
from server.audio.webm_packets import WebmReader
from server.media import LAYOUTS, RATE_HZ, MonoResampler, to_s16

# The log is processed in chunks of this size, which bounds memory.
CHUNK_BYTES = 256 * 1024
# Below this the work (under a millisecond) runs inline: a thread would cost as much.
INLINE_BYTES = 32 * 1024

T = TypeVar("T")


async def run_off_loop(size: int, function: Callable[[], T]) -> T:
    """Run ``function`` on ``size`` bytes of work: inline if small, else in a thread."""
    return function() if size <= INLINE_BYTES else await asyncio.to_thread(function)


class MonoConverter:
    """Convert samples of any rate and channel count to mono int16 at 16 kHz, exactly as for uploads."""

    def __init__(self, channel: int = 0) -> None:
        """
        Args:
            channel: the channel to extract, from 1; 0 to mix all.
        """
        self._resampler = MonoResampler()
        self._channel = channel

    def __call__(self, samples: NDArray[Any], rate_hz: int) -> NDArray[np.int16]:
        """Convert ``samples`` (n, channels), int16 or float32, and return the available output (m,)."""
        if not samples.size:
            return NO_SAMPLES
        if self._channel:
            samples = _extract_channel(samples, self._channel)
        if rate_hz == RATE_HZ and samples.shape[1] == 1 and samples.dtype == np.int16:
            return samples[:, 0]  # identical to the resampler's output, without its threads
        kind = "s16" if samples.dtype == np.int16 else "flt"
        frame: Any = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples).reshape(1, -1), format=kind, layout=LAYOUTS[samples.shape[1]]
        )
        frame.sample_rate = rate_hz
        return _join(self._resampler(frame))

    def flush(self) -> NDArray[np.int16]:
        """Return the remaining output."""
        return _join(self._resampler.flush())


def _extract_channel(samples: NDArray[Any], channel: int) -> NDArray[Any]:
    """Return one channel, (n, 1); silence if it does not exist."""
    if channel > samples.shape[1]:
        return np.zeros((len(samples), 1), samples.dtype)
    return samples[:, channel - 1 : channel]


NO_SAMPLES: NDArray[np.int16] = np.zeros(0, np.int16)


def _join(chunks: Iterator[NDArray[np.float32]]) -> NDArray[np.int16]:
    # NaN and infinity are handled by `to_s16`.
    with np.errstate(all="ignore"):
        return np.concatenate([NO_SAMPLES, *(to_s16(chunk) for chunk in chunks)])


def _build_mulaw_table() -> NDArray[np.int16]:
    """Return the 256 values of G.711 mu-law (ITU-T G.711, table 2a), scaled from 14 bits to 16."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, (code & 15).astype(np.int16)
    magnitude = (((mantissa << 3) + 132) << exponent) - 132
    return np.where(code & 128, -magnitude, magnitude).astype(np.int16)


MULAW = _build_mulaw_table()


def read_samples(format: TrackFormat, raw: bytes) -> NDArray[Any]:
    """Return the samples of PCM or mu-law, (n, channels), int16 or float32."""
    samples: NDArray[Any]
    if format.encoding is Encoding.MULAW:
        samples = MULAW[np.frombuffer(raw, np.uint8)]
    elif format.encoding is Encoding.PCM_S16LE:
        samples = np.frombuffer(raw, "<i2").astype(np.int16, copy=False)
    else:
        samples = np.frombuffer(raw, "<f4").astype(np.float32, copy=False)
    return samples.reshape(-1, format.channels)


class LogDecoder(Protocol):
    """A decoder from log bytes to samples."""

    @property
    def damaged(self) -> bool:
        """Whether anything was left out."""

    def decode(self, chunk: memoryview) -> AsyncIterator[NDArray[np.int16]]:
        """Yield the samples completed by the next bytes of the log."""

    async def finish(self) -> None:
        """Mark the end of the log."""

    async def close(self) -> None:
        """Release resources."""


class PcmLogDecoder:
    """Decoder for PCM and mu-law; only a partial sample at the end is an error."""

    def __init__(self, format: TrackFormat, to_mono: MonoConverter) -> None:
        assert format.position_bytes is not None
        self.damaged = False
        self._format, self._to_mono = format, to_mono
        self._position_bytes = format.position_bytes
        self._partial = b""

    async def decode(self, chunk: memoryview) -> AsyncIterator[NDArray[np.int16]]:
        """See Source.decode."""
        raw = self._partial + chunk
        whole_bytes = len(raw) - len(raw) % self._position_bytes
        self._partial = raw[whole_bytes:]
        yield await run_off_loop(
            whole_bytes,
            lambda: self._to_mono(read_samples(self._format, raw[:whole_bytes]), self._format.sample_rate_hz),
        )

    async def finish(self) -> None:
        """See Source.finish."""
        self.damaged |= bool(self._partial)

    async def close(self) -> None:
        """See Source.close."""
        return


class OpusLogDecoder:
    """Decoder for Opus: packets are extracted here and decoded in a child process."""

    def __init__(self, reader: PacketReader, to_mono: MonoConverter) -> None:
        self._reader, self._to_mono = reader, to_mono
        self._child = OpusChild()
        self._head: StreamHead | None = None

    @property
    def damaged(self) -> bool:
        """See Source.damaged."""
        return self._reader.damaged or self._child.damaged

    async def decode(self, chunk: memoryview) -> AsyncIterator[NDArray[np.int16]]:
        """See Source.decode."""
        batch: list[Packet] = []
        for item in await run_off_loop(len(chunk), lambda: self._reader.feed(chunk)):
            if not isinstance(item, Packet) or len(batch) == BATCH_PACKETS:
                yield await self._decode_batch(batch)
                batch = []
            if isinstance(item, Packet):
                batch.append(item)
            elif isinstance(item, StreamHead):
                self._head = item
            elif self._head is not None:
                silence = np.zeros((item.samples, self._head.channels), np.int16)
                yield await run_off_loop(silence.nbytes, partial(self._to_mono, silence, OPUS_RATE_HZ))
        yield await self._decode_batch(batch)

    async def _decode_batch(self, batch: list[Packet]) -> NDArray[np.int16]:
        if not batch or self._head is None:
            return NO_SAMPLES
        channels = self._head.channels
        pcm = b"".join(
            samples[packet.first * channels * 2 : packet.last * channels * 2]
            for packet, samples in zip(batch, await self._child.decode(self._head, batch), strict=True)
        )
        samples = np.frombuffer(pcm, "<i2").astype(np.int16, copy=False).reshape(-1, channels)
        return await run_off_loop(len(pcm), lambda: self._to_mono(samples, OPUS_RATE_HZ))

    async def finish(self) -> None:
        """See Source.finish."""
        self._reader.finish()
        await self._child.close()

    async def close(self) -> None:
        """See Source.close."""
        await self._child.close()


class TrackDecoder:
    """Decoder of one track's log, from its beginning, to mono int16 at 16 kHz.

    The output does not depend on how the log is split, nor on timing. Bad audio never raises: what cannot be decoded is
    left out and sets ``damaged``; an undecodable Opus packet becomes silence of its length, to keep time. Calls must
    not overlap; after a cancelled one only ``close`` may be called.
    """

    def __init__(self, format: TrackFormat, channel: int = 0) -> None:
        """
        Args:
            channel: the channel to extract, from 1; 0 to mix all.
        """
        self._to_mono = MonoConverter(channel)
        self._decoder: LogDecoder
        if format.encoding is Encoding.OPUS:
            self._decoder = OpusLogDecoder(RecordReader(), self._to_mono)
        elif format.encoding is Encoding.OGG_OPUS:
            self._decoder = OpusLogDecoder(OggReader(), self._to_mono)
        elif format.encoding is Encoding.WEBM_OPUS:
            self._decoder = OpusLogDecoder(WebmReader(), self._to_mono)
        else:
            self._decoder = PcmLogDecoder(format, self._to_mono)

    @property
    def damaged(self) -> bool:
        """Whether anything could not be decoded and was left out or replaced by silence."""
        return self._decoder.damaged

    async def decode(self, raw: bytes) -> NDArray[np.int16]:
        """Decode the next bytes of the log, split anywhere, and return the completed samples (n,)."""
        return np.concatenate([NO_SAMPLES, *[part async for part in self.pieces(raw)]])

    async def pieces(self, raw: bytes) -> AsyncGenerator[NDArray[np.int16], None]:
        """As ``decode``, piece by piece: a few bytes may state hours of silence."""
        view = memoryview(raw)
        for offset in range(0, len(view), CHUNK_BYTES):
            async for part in self._decoder.decode(view[offset : offset + CHUNK_BYTES]):
                yield part

    async def finish(self) -> NDArray[np.int16]:
        """Mark the end of the log and return the remaining samples (n,)."""
        await self._decoder.finish()
        return self._to_mono.flush()

    async def close(self) -> None:
        """End the child process. Idempotent."""
        await self._decoder.close()

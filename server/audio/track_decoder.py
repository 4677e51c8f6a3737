"""The log of a live track as what the engine takes: mono int16 at 16 kHz, as the audio comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Protocol, TypeVar

import av
import numpy as np
from numpy.typing import NDArray

from server.audio.encodings import OPUS_RATE_HZ, Encoding, TrackFormat
from server.audio.opus_decoder import BATCH_PACKETS, OpusChild
from server.audio.opus_packets import OggReader, Packet, PacketReader, RecordReader, StreamHead
from server.media import LAYOUTS, RATE_HZ, MonoResampler, to_s16

# The log is taken in pieces of this size: memory does not grow with what is handed in.
PIECE_BYTES = 256 * 1024
# Below it the work (less than a millisecond) is done at once: a thread costs as much.
INLINE_BYTES = 32 * 1024

T = TypeVar("T")


async def off_loop(size: int, function: Callable[[], T]) -> T:
    """The function's value for ``size`` bytes; in a thread where it takes long."""
    return function() if size <= INLINE_BYTES else await asyncio.to_thread(function)


class ToMono:
    """Samples of any rate and number of channels to mono int16 at 16 kHz, as an upload of them would be."""

    def __init__(self, channel: int = 0) -> None:
        """``channel``: the one to hear, from 1; 0: all of them together."""
        self._resampler = MonoResampler()
        self._channel = channel

    def __call__(self, samples: NDArray[Any], rate_hz: int) -> NDArray[np.int16]:
        """``samples`` (n, channels), int16 or float32."""
        if not samples.size:
            return NOTHING
        if self._channel:
            samples = _channel_of(samples, self._channel)
        if rate_hz == RATE_HZ and samples.shape[1] == 1 and samples.dtype == np.int16:
            return samples[:, 0]  # the resampler would give the same, and costs threads of its own
        kind = "s16" if samples.dtype == np.int16 else "flt"
        frame: Any = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples).reshape(1, -1), format=kind, layout=LAYOUTS[samples.shape[1]]
        )
        frame.sample_rate = rate_hz
        return _joined(self._resampler(frame))

    def flush(self) -> NDArray[np.int16]:
        """What is still inside."""
        return _joined(self._resampler.flush())


def _channel_of(samples: NDArray[Any], channel: int) -> NDArray[Any]:
    """One channel, (n, 1); silence where there are not so many."""
    if channel > samples.shape[1]:
        return np.zeros((len(samples), 1), samples.dtype)
    return samples[:, channel - 1 : channel]


NOTHING: NDArray[np.int16] = np.zeros(0, np.int16)


def _joined(chunks: Iterator[NDArray[np.float32]]) -> NDArray[np.int16]:
    # What is no number, or beyond all numbers, is `to_s16`'s to deal with.
    with np.errstate(all="ignore"):
        return np.concatenate([NOTHING, *(to_s16(chunk) for chunk in chunks)])


def _mulaw_table() -> NDArray[np.int16]:
    """The 256 values of G.711 mu-law (ITU-T G.711, table 2a), 14 bits scaled to 16."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, (code & 15).astype(np.int16)
    magnitude = (((mantissa << 3) + 132) << exponent) - 132
    return np.where(code & 128, -magnitude, magnitude).astype(np.int16)


MULAW = _mulaw_table()


class Source(Protocol):
    """One way from the log to samples."""

    @property
    def damaged(self) -> bool:
        """Something was left out."""

    def decode(self, piece: memoryview) -> AsyncIterator[NDArray[np.int16]]:
        """What is complete with the next bytes of the log."""

    async def finish(self) -> None:
        """No more bytes come."""

    async def close(self) -> None:
        """Ends what runs."""


class PcmSource:
    """PCM and mu-law: nothing in them can be wrong but the end."""

    def __init__(self, format: TrackFormat, to_mono: ToMono) -> None:
        assert format.position_bytes is not None
        self.damaged = False
        self._format, self._to_mono = format, to_mono
        self._position_bytes = format.position_bytes
        self._rest = b""

    async def decode(self, piece: memoryview) -> AsyncIterator[NDArray[np.int16]]:
        raw = self._rest + piece
        whole = len(raw) - len(raw) % self._position_bytes
        self._rest = raw[whole:]
        yield await off_loop(whole, lambda: self._to_mono(self._samples(raw[:whole]), self._format.sample_rate_hz))

    def _samples(self, raw: bytes) -> NDArray[Any]:
        samples: NDArray[Any]
        if self._format.encoding is Encoding.MULAW:
            samples = MULAW[np.frombuffer(raw, np.uint8)]
        elif self._format.encoding is Encoding.PCM_S16LE:
            samples = np.frombuffer(raw, "<i2").astype(np.int16, copy=False)
        else:
            samples = np.frombuffer(raw, "<f4").astype(np.float32, copy=False)
        return samples.reshape(-1, self._format.channels)

    async def finish(self) -> None:
        self.damaged |= bool(self._rest)

    async def close(self) -> None:
        return


class OpusSource:
    """Opus: packets are found here, and decoded in a child process."""

    def __init__(self, reader: PacketReader, to_mono: ToMono) -> None:
        self._reader, self._to_mono = reader, to_mono
        self._child = OpusChild()
        self._head: StreamHead | None = None

    @property
    def damaged(self) -> bool:
        return self._reader.damaged or self._child.damaged

    async def decode(self, piece: memoryview) -> AsyncIterator[NDArray[np.int16]]:
        batch: list[Packet] = []
        for item in await off_loop(len(piece), lambda: self._reader.feed(piece)):
            if isinstance(item, StreamHead) or len(batch) == BATCH_PACKETS:
                yield await self._decoded(batch)
                batch = []
            if isinstance(item, StreamHead):
                self._head = item
            else:
                batch.append(item)
        yield await self._decoded(batch)

    async def _decoded(self, batch: list[Packet]) -> NDArray[np.int16]:
        if not batch or self._head is None:
            return NOTHING
        channels = self._head.channels
        pcm = b"".join(
            samples[packet.first * channels * 2 : packet.last * channels * 2]
            for packet, samples in zip(batch, await self._child.decode(self._head, batch), strict=True)
        )
        samples = np.frombuffer(pcm, "<i2").astype(np.int16, copy=False).reshape(-1, channels)
        return await off_loop(len(pcm), lambda: self._to_mono(samples, OPUS_RATE_HZ))

    async def finish(self) -> None:
        self._reader.finish()
        await self._child.close()

    async def close(self) -> None:
        await self._child.close()


class TrackDecoder:
    """The log of one track, from its beginning, as mono int16 at 16 kHz.

    What comes out does not depend on how the log is cut, nor on time. Nothing that the audio
    is raises: what cannot be decoded is left out and ``damaged`` says so; an Opus packet that
    cannot be decoded is silence of its length, so that time does not slip. One call at a time;
    after one that was cancelled only ``close`` makes sense.
    """

    def __init__(self, format: TrackFormat, channel: int = 0) -> None:
        """``channel``: the one to hear, from 1; 0: all of them together."""
        self._to_mono = ToMono(channel)
        self._source: Source
        if format.encoding is Encoding.OPUS:
            self._source = OpusSource(RecordReader(), self._to_mono)
        elif format.encoding is Encoding.OGG_OPUS:
            self._source = OpusSource(OggReader(), self._to_mono)
        else:
            self._source = PcmSource(format, self._to_mono)

    @property
    def damaged(self) -> bool:
        """True when something could not be decoded and was left out, or is silence."""
        return self._source.damaged

    async def decode(self, raw: bytes) -> NDArray[np.int16]:
        """The samples (n,) that are complete with the next bytes of the log, cut anywhere."""
        view = memoryview(raw)
        pieces = [view[at : at + PIECE_BYTES] for at in range(0, len(view), PIECE_BYTES)]
        parts = [part for piece in pieces async for part in self._source.decode(piece)]
        return np.concatenate([NOTHING, *parts])

    async def finish(self) -> NDArray[np.int16]:
        """The samples (n,) still inside: no more bytes come."""
        await self._source.finish()
        return self._to_mono.flush()

    async def close(self) -> None:
        """Ends a child process; safe to repeat."""
        await self._source.close()

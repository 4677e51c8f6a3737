"""Opus that the tests make: raw packets by the encoder, and Ogg pages by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from server.audio.opus_packets import opus_head
from server.media.ogg import checksum

TAGS = b"OpusTags" + (4).to_bytes(4, "little") + b"test" + bytes(4)


def raw_packets(pcm: NDArray[np.int16], frame_ms: float = 20, layout: str = "mono") -> list[bytes]:
    """int16 at 16 kHz as Opus packets: mono (n,), the same in every channel, or stereo (n, 2)."""
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, layout, "s16"
    encoder.options = {"frame_duration": f"{frame_ms:g}"}
    encoder.open()
    source = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(pcm).reshape(1, -1), format="s16", layout="mono" if pcm.ndim == 1 else "stereo"
    )
    source.sample_rate = 16_000
    resampler = av.AudioResampler(format="s16", layout=layout, rate=48_000)
    fifo = av.AudioFifo()
    for piece in [*resampler.resample(source), *resampler.resample(None)]:
        piece.pts = None
        fifo.write(piece)
    found: list[bytes] = []
    while (block := fifo.read(encoder.frame_size)) is not None:
        found += [bytes(packet) for packet in encoder.encode(block)]
    return found


def page(
    packets: Sequence[bytes],
    sequence: int,
    granule: int,
    *,
    serial: int = 7,
    flags: int = 0,
    goes_on: bool = False,
) -> bytes:
    """One Ogg page (RFC 3533, section 6); ``goes_on``: the last packet, of whole segments, ends on the next."""
    lacing = bytearray()
    for packet in packets:
        lacing += b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    if goes_on:
        assert lacing.pop() == 0
    header = b"OggS\0" + bytes([flags]) + granule.to_bytes(8, "little", signed=True)
    header += serial.to_bytes(4, "little") + sequence.to_bytes(4, "little")
    rest = bytes([len(lacing)]) + lacing + b"".join(packets)
    return header + checksum(header + bytes(4) + rest).to_bytes(4, "little") + rest


def ogg_head(channels: int = 1, pre_skip: int = 0, serial: int = 7) -> bytes:
    """The two pages before the audio."""
    head = bytearray(opus_head(channels))
    head[10:12] = pre_skip.to_bytes(2, "little")
    return page([bytes(head)], 0, 0, serial=serial, flags=2) + page([TAGS], 1, 0, serial=serial)


def cut(raw: bytes, sizes: Sequence[int]) -> list[bytes]:
    """``raw`` in pieces of these sizes, over and over."""
    pieces, at, turn = [], 0, 0
    while at < len(raw):
        size = sizes[turn % len(sizes)]
        pieces.append(raw[at : at + size])
        at, turn = at + size, turn + 1
    return pieces

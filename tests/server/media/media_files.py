"""Media files that the tests make: several tracks, at chosen times, in any container; tones by which they are known."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tests.recordings import RATE_HZ

Samples = NDArray[np.int16]
FRAME_S = 0.02


def tone(hertz: float, seconds: float, level: float = 0.3, rate_hz: int = RATE_HZ) -> Samples:
    """A sine of so many hertz, int16 mono; ``level`` is its peak, 1 at full scale."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.asarray(np.round(32767 * level * np.sin(2 * np.pi * hertz * time)), np.int16)


def strength(pcm: Samples, hertz: float) -> float:
    """The peak level of the sine of so many hertz in a stretch of 16 kHz audio."""
    time = np.arange(len(pcm)) / RATE_HZ
    return float(2 * np.abs(np.mean(pcm * np.exp(-2j * np.pi * hertz * time))) / 32767)


def heard(pcm: Samples, hertz: float, threshold: float = 0.1) -> list[tuple[float, float]]:
    """From when to when a tone is heard, in seconds, to 20 ms."""
    size = round(FRAME_S * RATE_HZ)
    on = [strength(pcm[at : at + size], hertz) > threshold for at in range(0, len(pcm) - size + 1, size)]
    edges = np.flatnonzero(np.diff([0, *map(int, on), 0]))
    return [(float(a * FRAME_S), float(b * FRAME_S)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


@dataclass
class Sound:
    """One audio track of a file: stretches of samples (n,) or (n, channels), each at its time."""

    stretches: Sequence[tuple[float, Samples]]
    codec: str = "libopus"
    rate_hz: int = 48_000
    options: dict[str, str] = field(default_factory=dict)


def media(
    container_format: str,
    *sounds: Sound,
    picture: tuple[float, float] | None = None,
    picture_codec: str = "mpeg4",
    options: dict[str, str] | None = None,
) -> bytes:
    """A file of the tracks, interleaved; ``picture``: from when to when it has a video as well."""
    out = io.BytesIO()
    packets: list[tuple[float, Any]] = []
    with av.open(out, "w", format=container_format, options=options or {}) as container:
        streams = [_stream(container, sound) for sound in sounds]
        if picture is not None:
            packets += _pictures(container, picture_codec, *picture)
        for stream, sound in zip(streams, sounds, strict=True):
            packets += _encoded(stream, sound)
        for _, packet in sorted(packets, key=lambda entry: entry[0]):
            container.mux(packet)
    return out.getvalue()


def _stream(container: Any, sound: Sound) -> Any:
    first = sound.stretches[0][1]
    channels = 1 if first.ndim == 1 else first.shape[1]
    layout = {1: "mono", 2: "stereo", 4: "4.0", 6: "5.1", 8: "7.1"}[channels]
    return container.add_stream(sound.codec, rate=sound.rate_hz, layout=layout, options=sound.options)


def _encoded(stream: Any, sound: Sound) -> list[tuple[float, Any]]:
    """The packets of a track, each with its true time."""
    packets: list[Any] = []
    context = stream.codec_context
    context.open()
    size = context.frame_size or 1024
    for start_s, samples in sound.stretches:
        at = round(start_s * sound.rate_hz)
        for frame in _frames(samples, sound.rate_hz, context.format.name, context.layout.name, size):
            frame.pts, frame.time_base = at, Fraction(1, sound.rate_hz)
            at += frame.samples
            packets += stream.encode(frame)
    packets += stream.encode(None)
    return [(float(packet.pts * packet.time_base), packet) for packet in packets]


def _frames(samples: Samples, rate_hz: int, form: str, layout: str, size: int) -> list[Any]:
    """Frames of the encoder's size, at its rate; the last one is filled up with silence."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    packed = np.ascontiguousarray(samples.reshape(1, -1))
    source: Any = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
    source.sample_rate = RATE_HZ
    resampler = av.AudioResampler(format="flt", layout=layout, rate=rate_hz)
    parts = [out.to_ndarray().reshape(-1, channels) for f in (source, None) for out in resampler.resample(f)]
    whole = np.concatenate(parts)
    whole = np.concatenate([whole, np.zeros((-len(whole) % size, channels), np.float32)])
    convert = av.AudioResampler(format=form, layout=layout, rate=rate_hz)
    frames = []
    for at in range(0, len(whole), size):
        part: Any = whole[at : at + size].reshape(1, -1)
        frame: Any = av.AudioFrame.from_ndarray(part, format="flt", layout=layout)
        frame.sample_rate = rate_hz
        frames += convert.resample(frame)
    return frames


def _pictures(container: Any, codec: str, start_s: float, end_s: float) -> list[tuple[float, Any]]:
    stream = container.add_stream(codec, rate=10)
    stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
    packets: list[Any] = []
    for number in range(round(start_s * 10), round(end_s * 10)):
        frame: Any = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number % 256, np.uint8), format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, 10)
        packets += stream.encode(frame)
    packets += stream.encode(None)
    return [(float(packet.dts * packet.time_base), packet) for packet in packets]


def blocks_of(pcm: Samples, retimed: Callable[[int, float], float]) -> Iterator[tuple[float, Samples]]:
    """Blocks of 20 ms with the timestamps that ``retimed`` makes of their numbers and true times, in seconds."""
    size = round(FRAME_S * RATE_HZ)
    for number in range(len(pcm) // size):
        yield retimed(number, number * FRAME_S), pcm[number * size : (number + 1) * size]


def timed_matroska(blocks: Iterable[tuple[float, Samples]]) -> bytes:
    """16 kHz PCM in Matroska, each block with whatever timestamp, in whole milliseconds: no muxer would write some."""
    track = [
        (0xD7, b"\x01"),
        (0x73C5, b"\x01"),
        (0x83, b"\x02"),
        (0x86, b"A_PCM/INT/LIT"),
        (0xE1, _element(0xB5, struct.pack(">d", RATE_HZ)) + _element(0x9F, b"\x01") + _element(0x6264, b"\x10")),
    ]
    clusters = b""
    for time_s, pcm in blocks:
        milliseconds = round(time_s * 1000)
        cluster = max(0, milliseconds)
        block = b"\x81" + struct.pack(">hB", milliseconds - cluster, 0x80) + pcm.astype("<i2").tobytes()
        clusters += _element(0x1F43B675, _element(0xE7, cluster.to_bytes(8, "big")) + _element(0xA3, block))
    head = _element(0x1A45DFA3, _element(0x4282, b"matroska"))
    info = _element(0x1549A966, _element(0x2AD7B1, (10**6).to_bytes(3, "big")))
    tracks = _element(0x1654AE6B, _element(0xAE, b"".join(_element(*one) for one in track)))
    return head + _element(0x18538067, info + tracks + clusters)


def _element(identity: int, payload: bytes) -> bytes:
    """One EBML element, its size in eight bytes."""
    name = identity.to_bytes((identity.bit_length() + 7) // 8, "big")
    return name + (len(payload) | 1 << 56).to_bytes(8, "big") + payload

"""Recordings in every container, damaged at random, for the decoder."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.fuzzed_messages import MessageFuzzer

# Container, codec and sample rate.
KINDS = (
    ("wav", "pcm_s16le", 16_000),
    ("wav", "pcm_mulaw", 8000),
    ("wav", "adpcm_ms", 16_000),
    ("flac", "flac", 16_000),
    ("ogg", "libopus", 48_000),
    ("mp3", "mp3", 16_000),
    ("mp4", "aac", 16_000),
    ("mov", "alac", 16_000),
    ("matroska", "libopus", 48_000),
    ("webm", "libopus", 48_000),
    ("adts", "aac", 16_000),
    ("mpegts", "mp2", 16_000),
    ("asf", "wmav2", 16_000),
    ("caf", "pcm_s16be", 16_000),
    ("aiff", "pcm_s16be", 16_000),
    ("flv", "aac", 44_100),
    ("ac3", "ac3", 48_000),
)


def recordings(pcm: NDArray[np.int16]) -> dict[str, bytes]:
    """Return s16 mono audio, shape (n,), at 16 kHz in each container that this FFmpeg writes, by name."""
    made = {}
    for container, codec, rate_hz in KINDS:
        try:
            made[f"{container} {codec}"] = _encoded(pcm, container, codec, rate_hz)
        except (av.error.FFmpegError, ValueError):
            continue
    return made


def _encoded(pcm: NDArray[np.int16], container: str, codec: str, rate_hz: int) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate_hz, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = 16_000
        for resampled in av.AudioResampler(stream.format, "mono", rate_hz, stream.frame_size or 1024).resample(frame):
            file.mux(stream.encode(resampled))
        file.mux(stream.encode(None))
    return out.getvalue()


def damage(fuzzer: MessageFuzzer, originals: dict[str, bytes], path: Path) -> str:
    """Write a damaged recording; return the kind. Headers are hit most, and some files are two joined."""
    name = fuzzer.random.choice(sorted(originals))
    data = originals[name]
    match fuzzer.random.randrange(5):
        case 0:
            data = fuzzer.damaged(data)
        case 1 | 2:
            head = fuzzer.random.choice((32, 128, 512, 4096))
            data = fuzzer.damaged(data[:head]) + data[head:]
        case 3:
            data = data[: fuzzer.random.randint(0, len(data))]
        case 4:
            other = originals[fuzzer.random.choice(sorted(originals))]
            data = data[: fuzzer.random.randint(0, len(data))] + other[fuzzer.random.randint(0, len(other)) :]
    path.write_bytes(data)
    return name

"""Recordings that the tests make: from the sample meeting, which ships with the product, or from nothing."""

from __future__ import annotations

import io
import wave
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "sample" / "meeting.flac"
EVAL = ROOT.parent / "shared" / "eval"
RATE_HZ = 16_000


@cache
def sample_pcm() -> NDArray[np.int16]:
    """The sample meeting, int16 mono at 16 kHz."""
    with av.open(str(SAMPLE)) as container:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]).astype(np.int16)


def wav(pcm: NDArray[np.int16], rate_hz: int = RATE_HZ, *, mark: str = "") -> bytes:
    """A WAV of (samples,) or (samples, channels); ``mark`` makes other bytes of the same sound."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1 if pcm.ndim == 1 else pcm.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm.astype("<i2").tobytes())
    data = bytearray(out.getvalue())
    if mark:
        text = mark.encode() + b"\0" * (len(mark) % 2)
        data += b"junk" + len(text).to_bytes(4, "little") + text
        data[4:8] = (len(data) - 8).to_bytes(4, "little")
    return bytes(data)


def solo(speaker: str) -> NDArray[np.int16]:
    """Everything that one voice of the sample meeting says, by its ground truth."""
    lines = [line.split() for line in SAMPLE.with_suffix(".rttm").read_text().splitlines()]
    spans = [(float(line[3]), float(line[3]) + float(line[4])) for line in lines if line[7] == speaker]
    return np.concatenate([sample_pcm()[int(a * RATE_HZ) : int(b * RATE_HZ)] for a, b in spans])


def speech(start_s: float, seconds: float) -> NDArray[np.float32]:
    """A part of the sample meeting as models take it: float32 in -1..1."""
    part = sample_pcm()[int(start_s * RATE_HZ) : int((start_s + seconds) * RATE_HZ)]
    return np.asarray(part / 32768, np.float32)


def excerpt(seconds: float, *, mark: str = "") -> bytes:
    """The first seconds of the sample meeting as WAV."""
    return wav(sample_pcm()[: int(seconds * RATE_HZ)], mark=mark)


def encoded(
    pcm: NDArray[np.int16], container_format: str, codec: str, *, video: bool = False, subtitles: bool = False
) -> bytes:
    """int16 mono audio at 16 kHz in a container; ``video``: pictures instead; ``subtitles``: a track of them too."""
    out = io.BytesIO()
    with av.open(out, "w", format=container_format) as container:
        if video:
            picture: Any = container.add_stream(codec, rate=10)
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
            for _ in range(10):
                frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                container.mux(picture.encode(frame))
            container.mux(picture.encode(None))
        else:
            rate = 48_000 if codec == "libopus" else RATE_HZ
            stream: Any = container.add_stream(codec, rate=rate, layout="mono")
            if subtitles:
                container.add_stream("ass")
            resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate)
            source = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
            source.sample_rate = RATE_HZ
            fifo = av.AudioFifo()
            for piece in [*resampler.resample(source), *resampler.resample(None)]:
                piece.pts = None
                fifo.write(piece)
            while (block := fifo.read(stream.codec_context.frame_size or 1024, partial=True)) is not None:
                container.mux(stream.encode(block))
            container.mux(stream.encode(None))
    return out.getvalue()

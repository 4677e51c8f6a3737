"""Reading recordings, and spoiling them in known ways."""

from __future__ import annotations

import json
import tempfile
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.running_system import ROOT

EVAL = ROOT.parent / "shared" / "eval"
RATE_HZ = 16_000
Samples = NDArray[np.float32]


def read_samples(path: Path) -> Samples:
    """A recording as float32 mono at 16 kHz, -1..1. Raises av.error.FFmpegError or ValueError."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        blocks = [
            resampled.to_ndarray().reshape(-1)
            for frame in container.decode(audio=0)
            for resampled in resampler.resample(frame)
        ]
        blocks += [resampled.to_ndarray().reshape(-1) for resampled in resampler.resample(None)]
    if not blocks:
        raise ValueError(f"{path.name} has no audio track")
    return np.concatenate(blocks).astype(np.float32) / np.float32(32768)


def write_flac(pcm: NDArray[np.int16], path: Path) -> Path:
    """Writes s16 mono at 16 kHz; returns the path."""
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono")
        for start in range(0, len(pcm), 60 * RATE_HZ):
            block = np.ascontiguousarray(pcm[start : start + 60 * RATE_HZ])
            frame = av.AudioFrame.from_ndarray(block[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_wav(samples: Samples, path: Path) -> Path:
    """Writes float32 mono at 16 kHz as 16-bit WAV; returns the path."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tobytes())
    return path


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="meetra-bench-audio-") as folder:
        yield Path(folder)


def sample_speech(minutes: float) -> NDArray[np.int16]:
    """The sample meeting, again and again for so many minutes: clear speech that everybody has."""
    return _repeated([ROOT / "sample" / "meeting.flac"], minutes)


def dialogues(minutes: float) -> NDArray[np.int16]:
    """Dialogues of two to four voices, some noisy or overlapping; the sample meeting where there is no such data."""
    folder = EVAL / "synthetic"
    return _repeated(sorted(folder.glob("d[234]*.flac")), minutes) if folder.is_dir() else sample_speech(minutes)


def _repeated(paths: list[Path], minutes: float) -> NDArray[np.int16]:
    wanted = int(minutes * 60 * RATE_HZ)
    once = np.concatenate([np.round(read_samples(path) * 32768).clip(-32768, 32767) for path in paths]).astype(np.int16)
    return np.tile(once, -(-wanted // len(once)))[:wanted]


def read_speech(folder: Path) -> dict[str, list[Path]]:
    """LibriSpeech utterances by speaker, from the folder's manifest."""
    by_speaker: dict[str, list[Path]] = {}
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        by_speaker.setdefault(entry["speaker"], []).append(folder / entry["file"])
    return by_speaker


def reverberated(samples: Samples, t60_s: float, seed: int = 0) -> Samples:
    """In a room that takes ``t60_s`` to fall by 60 dB, as loud as the direct sound (exponentially decaying noise)."""
    length = int(t60_s * RATE_HZ)
    room = np.random.default_rng(seed).standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    room[0] = 0
    room /= np.linalg.norm(room)
    size = 1 << (len(samples) + length).bit_length()
    echo = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(room, size))[: len(samples)]
    reverberant = samples + echo
    return np.asarray(reverberant / max(1e-9, float(np.abs(reverberant).max())) * 0.5, np.float32)


def with_lost_packets(samples: Samples, share: float, seed: int = 0) -> Samples:
    """With 20 ms packets lost at random, never concealed."""
    packet = RATE_HZ // 50
    lost = np.random.default_rng(seed).random(len(samples) // packet + 1) < share
    kept: Samples = np.where(np.repeat(lost, packet)[: len(samples)], np.float32(0), samples)
    return kept


def clipped(samples: Samples, gain_db: float) -> Samples:
    """Recorded too loud."""
    loud: Samples = np.clip(samples * np.float32(10 ** (gain_db / 20)), -1, 1)
    return loud

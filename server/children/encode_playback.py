"""Child process that makes a meeting's sound playable: ``python -m server.children.encode_playback FOLDER``.

``FOLDER/parts.json`` lists decoded parts (s16le mono at 16 kHz) with where each begins, and the ranges that are silent.
They are mixed into ``playback.webm`` (Opus), and their peaks written to ``peaks.u8``. Prints one JSON object:
``{"samples", "period_ms"}``, or ``{"error": code}`` where the disk is full.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from server.confinement import confine
from server.disk import FULL, FULL_CODE

PARTS, SOUND, PEAKS = "parts.json", "playback.webm", "peaks.u8"
RATE_HZ = 16_000
# Speech, mono: transparent for most voices, and 11 MB an hour.
BIT_RATE = 24_000
BLOCK = 30 * RATE_HZ
MIN_PERIOD_MS, MAX_PEAKS = 50, 12_000
MEMORY_LIMIT_BYTES = 2 * 1024**3
CPU_LIMIT_S = 3600
MAX_FILE_BYTES = 1024**3
NICENESS = 5
Samples = NDArray[np.int16]


def mixed_blocks(
    parts: Sequence[tuple[BinaryIO, int, int]], silent_ms: list[list[int]], total: int
) -> Iterator[Samples]:
    """Yield the mix in blocks, silent in the ranges.

    Args:
        parts: each part's file, first sample in the mix, and length, samples.
        total: length of the mix, samples.
    """
    for start in range(0, total, BLOCK):
        end = min(total, start + BLOCK)
        mix = np.zeros(end - start, np.int32)
        for file, first, length in parts:
            low, high = max(start, first), min(end, first + length)
            if low < high:
                file.seek(2 * (low - first))
                data = np.frombuffer(file.read(2 * (high - low)), np.int16)
                mix[low - start : low - start + len(data)] += data
        for silent_from, silent_to in silent_ms:
            low = max(start, silent_from * RATE_HZ // 1000)
            high = min(end, -(-silent_to * RATE_HZ // 1000))
            if low < high:
                mix[low - start : high - start] = 0
        yield np.clip(mix, -32768, 32767).astype(np.int16)


def encode(blocks: Iterator[Samples], total: int, sound: BinaryIO, peaks: BinaryIO) -> int:
    """Write the sound and its peaks; return the period of a peak, milliseconds."""
    period_ms = max(MIN_PERIOD_MS, -(-total * 1000 // (RATE_HZ * MAX_PEAKS)))
    period = RATE_HZ * period_ms // 1000
    waiting = np.zeros(0, np.int16)
    with av.open(sound, "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=RATE_HZ, layout="mono")
        stream.bit_rate = BIT_RATE
        position = 0
        for block in blocks:
            frame = av.AudioFrame.from_ndarray(block[np.newaxis], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, position
            position += len(block)
            container.mux(stream.encode(frame))
            waiting = np.concatenate([waiting, block])
            whole = len(waiting) // period * period
            peaks.write(_loudest(waiting[:whole].reshape(-1, period)))
            waiting = waiting[whole:]
        if len(waiting):
            peaks.write(_loudest(waiting[np.newaxis]))
        container.mux(stream.encode(None))
    return period_ms


def _loudest(periods: Samples) -> bytes:
    loudest = np.abs(periods.astype(np.int32)).max(axis=1, initial=0)
    levels: NDArray[np.uint8] = (np.minimum(loudest, 32767) * 255 // 32767).astype(np.uint8)
    return levels.tobytes()


def main() -> int:
    """Encode one meeting under resource limits; return the exit status."""
    os.chdir(sys.argv[1])
    described = json.loads(Path(PARTS).read_text(encoding="utf-8"))
    files = [Path(part["path"]).open("rb") for part in described["parts"]]  # noqa: SIM115 - for as long as the process
    os.nice(NICENESS)
    try:
        confine(
            memory_bytes=MEMORY_LIMIT_BYTES,
            open_files=len(files) + 64,
            cpu_s=CPU_LIMIT_S,
            file_bytes=MAX_FILE_BYTES,
            inputs=[file.fileno() for file in files],
            outputs=[SOUND, PEAKS],
        )
        parts = [
            (file, part["start_us"] * RATE_HZ // 1_000_000, os.fstat(file.fileno()).st_size // 2)
            for file, part in zip(files, described["parts"], strict=True)
        ]
        total = max((first + length for _, first, length in parts), default=0)
        with Path(SOUND).open("r+b") as sound, Path(PEAKS).open("r+b") as peaks:
            blocks = mixed_blocks(parts, described["silent_ms"], total)
            period_ms = encode(blocks, total, sound, peaks)
            for file in (sound, peaks):
                file.flush()
                os.fsync(file.fileno())
        print(json.dumps({"samples": total, "period_ms": period_ms}), flush=True)
    except OSError as error:
        if error.errno not in FULL:
            raise
        print(json.dumps({"error": FULL_CODE}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

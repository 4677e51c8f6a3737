"""What the walls around decoders cost: how long a child takes to start and to do a little.

    python -m benchmarks.child_start [--rounds 30] [--against CHECKOUT]

Each round starts, in turn: a probe of a second of WAV; an Opus decoder for one packet; for both, a child that imports
the same program and ends. Printed are the medians of the processor time of a child and of the time until it ended, and
their ratio to the imports alone. ``--against``: another checkout, whose children are started in the same rounds.
"""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import av

from benchmarks.printed_rows import print_rows
from benchmarks.running_system import ROOT
from server.children import HEAD, LENGTH, MESSAGE, PACKETS
from server.sandbox import ONE_THREAD

PROBE, OPUS = "server.children.decode_media", "server.children.decode_opus"
RATE_HZ = 16_000


class Start(NamedTuple):
    """One child: how long it ran and what it used, milliseconds."""

    wall_ms: float
    processor_ms: float


def one_packet() -> bytes:
    """The messages to an Opus decoder: a stream's head, and one packet of silence."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    encoder.open()
    frame = av.AudioFrame(format="s16", layout="mono", samples=encoder.frame_size)
    frame.sample_rate, frame.pts = 48_000, 0
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    packet = bytes((encoder.encode(frame) + encoder.encode(None))[0])
    head = bytes(encoder.extradata or b"")
    record = LENGTH.pack(len(packet)) + packet
    return MESSAGE.pack(HEAD, len(head)) + head + MESSAGE.pack(PACKETS, len(record)) + record


def a_second() -> bytes:
    """A second of silence as WAV."""
    size = RATE_HZ * 2
    form = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size) + bytes(size)


def start(checkout: Path, arguments: list[str], told: bytes = b"") -> Start:
    """Start a child of a checkout, and wait for its end."""
    environment = {"PYTHONPATH": str(checkout)} | (ONE_THREAD if checkout == ROOT else {})
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=checkout,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(told)
        child.stdin.close()
        answer = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        wall_s = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode or (arguments[0] == "-m" and not answer):
        raise SystemExit(f"{' '.join(arguments)} in {checkout} failed")
    return Start(wall_s * 1000, (used.ru_utime + used.ru_stime) * 1000)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.child_start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--against", type=Path, help="another checkout of this repository")
    given = parser.parse_args()
    checkouts = [ROOT, *([given.against.resolve()] if given.against else [])]
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "original"
        recording.write_bytes(a_second())
        kinds = {
            "probe": (["-m", PROBE, "--probe", str(recording)], b""),
            "probe, imports alone": (["-c", f"import {PROBE}"], b""),
            "Opus": (["-m", OPUS], one_packet()),
            "Opus, imports alone": (["-c", f"import {OPUS}"], b""),
        }
        starts: dict[tuple[Path, str], list[Start]] = {}
        for _ in range(given.rounds):
            for checkout in checkouts:
                for kind, (arguments, told) in kinds.items():
                    starts.setdefault((checkout, kind), []).append(start(checkout, arguments, told))
    rows = []
    for (checkout, kind), measured in starts.items():
        imports = median(one.processor_ms for one in starts[checkout, f"{kind.split(',')[0]}, imports alone"])
        processor_ms = median(one.processor_ms for one in measured)
        rows.append(
            {
                "checkout": "this" if checkout == ROOT else str(checkout),
                "child": kind,
                "wall ms": f"{median(one.wall_ms for one in measured):.0f}",
                "processor ms": f"{processor_ms:.1f}",
                "ratio": f"{processor_ms / imports:.2f}",
            }
        )
    print_rows(rows)


if __name__ == "__main__":
    main()

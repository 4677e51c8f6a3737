"""What starting a decoder and the walls around it cost: how long a child takes to start and to do a little.

    python -m benchmarks.child_start [--rounds 30]

Each round starts, in turn: a probe of a second of WAV; an Opus decoder for one packet; for both, a Python that imports
the same program and ends; and both decoders as the server does, by forking. Printed are the median of the time until a
child ended, and its processor time: the median, of forked ones the mean.
"""

from __future__ import annotations

import argparse
import asyncio
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
from server import sandbox
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


def start(arguments: list[str], told: bytes = b"") -> Start:
    """Start a child that imports its program itself, and wait for its end."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), **ONE_THREAD},
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
        raise SystemExit(f"{' '.join(arguments)} failed")
    return Start(wall_s * 1000, (used.ru_utime + used.ru_stime) * 1000)


async def fork(program: str, *arguments: str, told: bytes = b"") -> float:
    """Start a child as the server does; return the time until it ended, milliseconds."""
    began = time.monotonic()
    child = await sandbox.start(program, *arguments, with_stdin=bool(told))
    try:
        if told:
            child.write(told)
            (size,) = LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))
            await child.stdout.readexactly(size)
        elif not await child.stdout.read():
            raise SystemExit(f"{program} failed")
    finally:
        await child.end()
    return (time.monotonic() - began) * 1000


def processor_ms_of_forked() -> float:
    """Return the processor time of all ended children of our children, milliseconds."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    ticks = 0
    for child in children:
        # Fields 16 and 17 (proc(5)); the name before may hold spaces.
        user, system = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[13:15]
        ticks += int(user) + int(system)
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


async def forked_starts(rounds: int, program: str, *arguments: str, told: bytes = b"") -> tuple[list[float], float]:
    """Return how long each forked child took, and the mean of their processor time, milliseconds."""
    await fork(program, *arguments, told=told)
    before = processor_ms_of_forked()
    took = [await fork(program, *arguments, told=told) for _ in range(rounds)]
    return took, (processor_ms_of_forked() - before) / rounds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.child_start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "original"
        recording.write_bytes(a_second())
        kinds = {
            "probe": (["-m", PROBE, "--probe", str(recording)], b""),
            "probe, imports alone": (["-c", f"import {PROBE}"], b""),
            "Opus": (["-m", OPUS], one_packet()),
            "Opus, imports alone": (["-c", f"import {OPUS}"], b""),
        }
        starts: dict[str, list[Start]] = {}
        for _ in range(rounds):
            for kind, (arguments, told) in kinds.items():
                starts.setdefault(kind, []).append(start(arguments, told))
        rows = [
            (kind, median(one.wall_ms for one in measured), median(one.processor_ms for one in measured))
            for kind, measured in starts.items()
        ]
        for kind, program, arguments, told in (
            ("probe, forked", PROBE, ["--probe", str(recording)], b""),
            ("Opus, forked", OPUS, [], one_packet()),
        ):
            took, processor_ms = asyncio.run(forked_starts(rounds, program, *arguments, told=told))
            rows.append((kind, median(took), processor_ms))
    print_rows([{"child": kind, "wall ms": f"{wall:.0f}", "processor ms": f"{used:.1f}"} for kind, wall, used in rows])


if __name__ == "__main__":
    main()

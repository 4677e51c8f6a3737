"""Child process that decodes untrusted media: ``python -m server.meetings.decode [--probe] IN [OUT]``.

It holds the whole risk of a hostile file: limits on memory, processor time and file size are
set before the file is opened, only the file itself is read (no playlists, no network), and
whatever happens here happens to this process alone. Imports nothing of the server but the resampling.

Output is one JSON object a line: ``{"decoded_s": ...}`` while it works, then one last object,
``{"samples", "damaged"}`` or ``{"error": code, "reason": text}``.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from typing import Any

import av
import av.error
import numpy as np

from server.meetings.resampling import RATE_HZ, MonoResampler, to_s16

MEMORY_LIMIT_BYTES = 4 * 1024**3
CPU_LIMIT_S = 3600
# Formats that make the decoder open other files or addresses.
REFUSED_FORMATS = frozenset({"hls", "dash", "concat", "image2", "image2pipe", "rtsp", "sdp", "tedcaptions", "tty"})
PROGRESS_EVERY_S = 30.0
# So many damaged packets in a row without one good frame, and nothing good will follow.
HOPELESS_PACKETS = 5000


class Refused(Exception):
    """The file cannot be used; ``code`` is for programs, ``reason`` for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def say(**fields: Any) -> None:
    """One line of output."""
    print(json.dumps(fields), flush=True)


def confine() -> None:
    """Limits what a hostile file can take, and dies with the parent."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def open_audio(path: str) -> tuple[Any, Any]:
    """The opened container and its first audio stream. Raises Refused."""
    if os.path.getsize(path) == 0:  # noqa: PTH202 - pathlib is not worth its import here
        raise Refused("empty", "the file is empty")
    try:
        container = av.open(path, metadata_errors="ignore", options={"protocol_whitelist": "file", "enable_drefs": "0"})
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise Refused("not_media", f"not audio or video that can be read ({plain(error)})") from error
    names = set(container.format.name.split(","))
    if names & REFUSED_FORMATS:
        raise Refused("not_media", f"files of the kind {container.format.name} are not accepted")
    if not container.streams.audio:
        raise Refused("no_audio", "the file has no sound: no audio stream was found in it")
    return container, container.streams.audio[0]


def plain(error: BaseException) -> str:
    """An error's words without the path of the file."""
    return getattr(error, "strerror", None) or type(error).__name__


def stated_duration_s(container: Any, stream: Any) -> float | None:
    """The length that the container states, in seconds; None where it does not."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None


class Tally:
    """What went wrong on the way."""

    damaged = False


def mono_chunks(container: Any, stream: Any, tally: Tally) -> Iterator[np.ndarray]:
    """Mono float32 chunks at 16 kHz; damaged packets are passed over and noted."""
    to_mono = MonoResampler()
    bad_in_a_row = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except av.error.FFmpegError:
            tally.damaged = True
            break
        try:
            for frame in packet.decode():
                bad_in_a_row = 0
                yield from to_mono(frame)
        except (av.error.FFmpegError, ValueError):
            tally.damaged = True
            bad_in_a_row += 1
            if bad_in_a_row > HOPELESS_PACKETS:
                break
    yield from to_mono.flush()


def decode(source: str, target: str, max_seconds: float) -> None:
    """Writes ``source`` to ``target`` as s16le mono at 16 kHz and says the outcome. Raises Refused."""
    container, stream = open_audio(source)
    stream.thread_type = "AUTO"
    tally = Tally()
    samples, said_s = 0, 0.0
    limit = int(max_seconds * RATE_HZ)
    with open(target, "wb", buffering=1024 * 1024) as out:  # noqa: PTH123
        for chunk in mono_chunks(container, stream, tally):
            pcm = to_s16(chunk)
            samples += len(pcm)
            if samples > limit:
                raise Refused("too_long", f"longer than this server accepts ({max_seconds:.0f} s)")
            out.write(pcm.tobytes())
            if samples / RATE_HZ - said_s >= PROGRESS_EVERY_S:
                said_s = samples / RATE_HZ
                say(decoded_s=said_s)
        out.flush()
        os.fsync(out.fileno())
    if samples == 0:
        raise Refused("undecodable", "the file is damaged: no sound could be decoded from it")
    say(samples=samples, damaged=tally.damaged)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m server.meetings.decode", description=__doc__)
    parser.add_argument("--probe", action="store_true", help="say only the stated length")
    parser.add_argument("--max-seconds", type=float, default=4 * 3600.0)
    parser.add_argument("source")
    parser.add_argument("target", nargs="?")
    arguments = parser.parse_args()
    confine()
    av.logging.set_level(av.logging.PANIC)
    try:
        if arguments.probe:
            container, stream = open_audio(arguments.source)
            say(audio=True, duration_s=stated_duration_s(container, stream))
        else:
            decode(arguments.source, arguments.target, arguments.max_seconds)
    except Refused as refused:
        say(error=refused.code, reason=refused.reason)
    except MemoryError:
        say(error="undecodable", reason="the file needs more memory to decode than is allowed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Child process that decodes untrusted media: ``python -m server.children.decode_media [--probe] IN [FOLDER]``.

It contains the whole risk of a hostile file: before the first byte of it is read, the process gives up
everything but the open file and its output files (``server/confinement.py``), and a crash affects this
process alone. It imports no more of the server than decoding needs, and nothing later.

The output is one JSON object per line: ``{"decoded_s": ...}`` as progress, and last a
``transcode.Outcome`` or ``{"error": code, "reason": text}``; the reason is missing if the disk is at
fault instead of the file. A probe prints ``{"audio", "duration_s"}``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import av

# PyAV and NumPy would import these at their first use, which is too late.
import av.subtitles.codeccontext
import av.subtitles.stream
import numpy.fft  # noqa: F401

from server.channels import ChannelUse
from server.confinement import confine
from server.disk import FULL, FULL_CODE
from server.media import (
    MAX_DECODED_BYTES,
    OUTPUT_FILES,
    RATE_HZ,
    OpenedFile,
    Refused,
    open_media,
    stated_duration_s,
    transcode,
)

MEMORY_LIMIT_BYTES = 4 * 1024**3
CPU_LIMIT_S = 3600
# A third of the weight of niceness 0: live meetings, and the calls of everybody, go before uploads.
NICENESS = 5
PROGRESS_EVERY_S = 30.0
# Seconds between signs of life during work without decoding progress: comparing tracks, damaged parts.
ALIVE_EVERY_S = 10.0


def print_message(**fields: Any) -> None:
    """Print one JSON line."""
    print(json.dumps(fields), flush=True)


class Progress:
    """Report decoding progress every 30 s of audio, and a sign of life in between."""

    def __init__(self) -> None:
        self._reported_s = 0.0
        self._reported_at = time.monotonic()

    def __call__(self, decoded_s: float) -> None:
        now = time.monotonic()
        if decoded_s - self._reported_s >= PROGRESS_EVERY_S or now - self._reported_at >= ALIVE_EVERY_S:
            self._reported_s, self._reported_at = max(decoded_s, self._reported_s), now
            print_message(decoded_s=self._reported_s)


def decode_file(source: OpenedFile, max_seconds: float, max_bytes: int, *, separate: bool) -> None:
    """Decode ``source`` into fsynced files in the working directory, and print the outcome. Raises Refused."""
    outcome = transcode(source, Path(), max_seconds, separate=separate, progress=Progress(), max_bytes=max_bytes)
    for track in outcome.tracks:
        with Path(track.file).open("rb+") as file:
            os.fsync(file.fileno())
    print_message(**outcome.to_document())


def main() -> int:
    """Decode or probe one file under resource limits; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m server.children.decode_media", description=__doc__)
    parser.add_argument("--probe", action="store_true", help="say only the stated length")
    parser.add_argument("--max-seconds", type=float, default=4 * 3600.0)
    parser.add_argument("--max-bytes", type=int, default=MAX_DECODED_BYTES)
    parser.add_argument("--channels", type=ChannelUse, choices=list(ChannelUse), default=ChannelUse.MIXED)
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path, nargs="?")
    arguments = parser.parse_args()
    max_file_bytes = int((arguments.max_seconds + 1) * RATE_HZ) * 2
    source = OpenedFile(arguments.source)
    if not arguments.probe:
        os.chdir(arguments.folder)
    os.nice(NICENESS)
    try:
        confine(
            memory_bytes=MEMORY_LIMIT_BYTES,
            open_files=64,
            cpu_s=CPU_LIMIT_S,
            file_bytes=max_file_bytes,
            inputs=[source.descriptor],
            outputs=[] if arguments.probe else OUTPUT_FILES,
        )
        av.logging.set_level(av.logging.PANIC)
        if arguments.probe:
            container = open_media(source, source)
            print_message(audio=True, duration_s=stated_duration_s(container, source))
        else:
            separate = arguments.channels is ChannelUse.SEPARATE
            decode_file(source, arguments.max_seconds, arguments.max_bytes, separate=separate)
    except Refused as refused:
        print_message(error=refused.code, reason=refused.reason)
    except MemoryError:
        print_message(error="undecodable", reason="decoding the file exceeds the memory limit")
    except OSError as error:
        if error.errno not in FULL:
            raise
        print_message(error=FULL_CODE)
    return 0


if __name__ == "__main__":
    sys.exit(main())

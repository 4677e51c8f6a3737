"""``meetra export``: a meeting as a file of another program's format, or its sound."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO

from cli.account import add_account_arguments, client_of, resolve_account
from cli.meeting_named import add_meeting_argument, file_hash_of

EXAMPLES = """\
examples:
  meetra export latest --format srt > meeting.srt
  meetra export 12b9b6 --format docx --output meeting.docx
  meetra export latest --format pdf --output report.pdf
  meetra export latest --audio normalised --output meeting.webm
"""
# What is no text for a terminal.
BINARY = ("docx", "pdf", None)


class CannotExport(Exception):
    """The file cannot be written; the message says why."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.formatter_class, command.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    add_meeting_argument(command)
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--audio",
        choices=("normalised", "redacted", "original"),
        help="the sound: as mono Opus in WebM; the same of a redacted meeting; or as it was uploaded",
    )
    what.add_argument(
        "--format",
        help="srt, vtt, txt, md, docx, pdf, turns.csv, words.csv, scores.csv, rttm, ctm, stm, textgrid, eaf, json",
    )
    command.add_argument(
        "--output", "-o", type=Path, metavar="FILE", help="file to write, replacing one (default: the standard output)"
    )
    add_account_arguments(command)


async def run_export(arguments: argparse.Namespace) -> int:
    """Write the meeting; return 0. A file is complete or as it was before.

    Raises NotRunning, BadAddress, NoSuchMeeting, CannotExport, MeetraError.
    """
    async with client_of(resolve_account(arguments)) as client:
        file_hash = await file_hash_of(client, arguments.meeting)
        made = (
            client.meeting_audio(file_hash, arguments.audio)
            if arguments.audio
            else client.export_meeting(file_hash, arguments.format)
        )
        async with aclosing(made) as pieces:  # type: ignore[type-var]
            if arguments.output is None:
                if sys.stdout.isatty() and arguments.format in BINARY:
                    raise CannotExport("this is no text for a terminal: name a file with --output")
                await _copy(pieces, sys.stdout.buffer)
            else:
                await _replace(pieces, arguments.output)
    return 0


async def _copy(pieces: AsyncIterator[bytes], file: BinaryIO) -> int:
    written = 0
    async for piece in pieces:
        file.write(piece)
        written += len(piece)
    file.flush()
    return written


async def _replace(pieces: AsyncIterator[bytes], path: Path) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("xb") as file:
            written = await _copy(pieces, file)
        part.replace(path)
    except OSError as error:
        raise CannotExport(f"{path} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    print(f"{path}: {written} bytes", file=sys.stderr)

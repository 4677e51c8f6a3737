"""The arguments of ``meetra analyze`` and ``meetra stream``: recordings and sound, and what is known of the meeting."""

from __future__ import annotations

import argparse
from pathlib import Path

from cli.account import add_account_arguments
from cli.argument_types import count, non_negative
from cli.organizations import redacted
from server.channels import ChannelUse


def analyze_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of ``meetra analyze``."""
    command.add_argument("files", type=Path, nargs="+", metavar="FILE", help="audio or video")
    command.add_argument("--date", default="", help="date of the meeting, ISO 8601")
    command.add_argument(
        "--channels",
        choices=tuple(ChannelUse),
        default="",
        help="separate: each channel is one participant, such as a side of a call (default: mixed)",
    )
    command.add_argument("--json", action="store_true", help="print all answers with details as JSON")
    _add_details(command)


def stream_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of ``meetra stream``."""
    command.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="audio or video, streamed in real time; 'sample': the bundled recording, '-': raw s16le on stdin",
    )
    command.add_argument(
        "--mic", nargs="?", const="", metavar="DEVICE", help="stream a microphone (default: the system's input device)"
    )
    command.add_argument(
        "--participant",
        action="append",
        default=[],
        metavar="NAME",
        help="name of the only speaker of a FILE; repeat for several FILEs, in their order",
    )
    command.add_argument(
        "--speed",
        type=non_negative,
        default=1.0,
        help="speed of FILEs relative to real time; 0: as fast as accepted (default: 1)",
    )
    command.add_argument("--rate", type=count, help="sample rate of '-', Hz (default: 16000)")
    command.add_argument("--channels", type=count, help="number of interleaved channels of '-' (default: 1)")
    command.add_argument(
        "--separate",
        action="store_true",
        help="treat each channel of '-' as one participant, named by one --participant each",
    )
    command.add_argument(
        "--drop-every",
        type=non_negative,
        default=0.0,
        metavar="SECONDS",
        help="drop the connection periodically, to test reconnecting",
    )
    command.add_argument("--resume", default="", metavar="SESSION", help="resume an open session")
    command.add_argument("--json", action="store_true", help="print JSON lines: the session, then every event")
    _add_details(command)


def _add_details(command: argparse.ArgumentParser) -> None:
    add_account_arguments(command)
    command.add_argument("--name", default="", help="name of the meeting (default: the file name)")
    command.add_argument("--speakers", type=count, default=0, help="number of speakers, if known")
    command.add_argument(
        "--language", default="", help="spoken language, such as en, deu or German (default: detected)"
    )
    command.add_argument(
        "--key-terms",
        action="append",
        default=[],
        metavar="TERMS",
        help="names and terms to expect, separated by commas; repeatable",
    )
    command.add_argument(
        "--consent",
        action="append",
        default=[],
        metavar="NOTE",
        help="who consented, and how: 'who; how' or 'who; how; when'; repeatable",
    )
    command.add_argument(
        "--redact",
        type=redacted,
        default="",
        metavar="KINDS",
        help="redact these besides what the organization redacts: of email,phone,card,iban,name",
    )

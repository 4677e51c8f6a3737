"""The arguments of ``meetra analyze`` and ``meetra stream``, and what runs them."""

from __future__ import annotations

import argparse
from pathlib import Path

from cli.account import add_account_arguments, resolve_account
from cli.analyze import analyze
from cli.argument_types import count, non_negative
from cli.console import PipedConsole
from cli.organizations import redacted
from cli.stream import StreamOptions, stream
from cli.up import SAMPLE
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


async def run_analyze(arguments: argparse.Namespace) -> int:
    """Run ``meetra analyze``; return 0 if all meetings became ready, else 1."""
    account = resolve_account(arguments)
    stated = {
        "name": arguments.name,
        "date": arguments.date,
        "n_speakers": arguments.speakers,
        "language": arguments.language,
        "key_terms": arguments.key_terms,
        "channels": arguments.channels,
        "consent": arguments.consent,
        "redact": arguments.redact,
    }
    details = {key: value for key, value in stated.items() if value}
    console = PipedConsole(stderr=arguments.json, soft_wrap=True)
    return await analyze(account, arguments.files, details=details, as_json=arguments.json, console=console)


async def run_stream(arguments: argparse.Namespace) -> int:
    """Run ``meetra stream``; return 0 if the meeting became ready, 130 if interrupted, else 1."""
    options = StreamOptions(
        files=[str(SAMPLE) if file == "sample" else file for file in arguments.files],
        mic=arguments.mic,
        participants=arguments.participant,
        name=arguments.name,
        n_speakers=arguments.speakers,
        language=arguments.language,
        key_terms=arguments.key_terms,
        consent=arguments.consent,
        redact=arguments.redact,
        speed=arguments.speed,
        rate_hz=arguments.rate,
        channels=arguments.channels,
        separate=arguments.separate,
        drop_every_s=arguments.drop_every,
        resume=arguments.resume,
        as_json=arguments.json,
    )
    console = PipedConsole(stderr=arguments.json, soft_wrap=True)
    return await stream(resolve_account(arguments), options, console)

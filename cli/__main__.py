"""The command line: ``meetra``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shlex
import signal
import sys
from pathlib import Path

from cli.account import DEFAULT_DATA, BadAddress, account_on, client_of, resolve_account
from cli.analyze import analyze
from cli.argument_types import count, ip_address, non_negative, web_origin
from cli.audio_sources import SourceUnusable
from cli.audit import DESCRIPTION as AUDIT
from cli.audit import NoSuchOrganization, run_audit
from cli.audit import add_arguments as audit_arguments
from cli.console import PipedConsole
from cli.export import DESCRIPTION as EXPORT
from cli.export import CannotWrite, run_export
from cli.export import add_arguments as export_arguments
from cli.home import NotRunning
from cli.keys import DESCRIPTION as KEYS
from cli.keys import NoSuchKey, run_keys
from cli.keys import add_arguments as keys_commands
from cli.models import DESCRIPTION as MODELS
from cli.models import run_models
from cli.organizations import DESCRIPTION as ORGANIZATIONS
from cli.organizations import add_arguments, redacted, run_organizations
from cli.postgres import PostgresUnusable
from cli.purge import DESCRIPTION as PURGE
from cli.purge import PurgeFailed, run_purge
from cli.search import DESCRIPTION as SEARCH
from cli.search import add_arguments as search_arguments
from cli.search import run_search
from cli.settings import BadSettings
from cli.stream import StreamOptions, stream
from cli.terminal_text import escape_lines
from cli.tokens import DESCRIPTION as TOKENS
from cli.tokens import add_arguments as tokens_commands
from cli.tokens import run_tokens
from cli.up import SAMPLE, CannotStart, UpOptions, up
from cli.users import DESCRIPTION as USERS
from cli.users import NoSuchUser, run_users
from cli.users import add_arguments as users_commands
from gateway import EnvoyMissing
from meetra_client import MeetraError
from privacy import TlsUnusable, UnsafeFile
from server.auth import UnusableTokenKeys
from server.channels import ChannelUse
from server.storage import DatabaseUnavailable, EmailTaken

# Errors that are reported in one line, without a stack trace.
REFUSALS = (
    BadAddress,
    BadSettings,
    CannotStart,
    CannotWrite,
    NotRunning,
    PostgresUnusable,
    EnvoyMissing,
    TlsUnusable,
    UnusableTokenKeys,
    DatabaseUnavailable,
    EmailTaken,
    NoSuchKey,
    NoSuchOrganization,
    NoSuchUser,
    MeetraError,
    SourceUnusable,
    UnsafeFile,
    PurgeFailed,
)


def parser() -> argparse.ArgumentParser:
    """Build the argument parser of all commands."""
    root = argparse.ArgumentParser(prog="meetra", description="Open conversation-intelligence server.")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--data", type=Path, default=DEFAULT_DATA, help="data folder (default: %(default)s)")
        return command

    up_command = add("up", "Start everything on this machine and serve until Ctrl-C.")
    up_command.add_argument(
        "--ready-file", type=Path, help="write address and demo user to this file as JSON once the system is ready"
    )
    up_command.add_argument(
        "--host",
        type=ip_address,
        default="127.0.0.1",
        help="address of the gateway; 0.0.0.0: all (default: %(default)s)",
    )
    up_command.add_argument(
        "--port", type=int, help="port of the gateway (default: 8080, or a free one; 0: a free one)"
    )
    up_command.add_argument(
        "--analyze", metavar="FILE", help="analyse this recording after the start; 'sample' is the bundled one"
    )
    up_command.add_argument(
        "--cors-origin",
        action="append",
        type=web_origin,
        default=[],
        metavar="ORIGIN",
        help="allow browser calls from pages of this origin (https://app.example, https://*.example.com; *: of all);"
        " repeatable",
    )
    analyze_command = add("analyze", "Analyse recordings on a running system and print a report of each.")
    analyze_command.add_argument("files", type=Path, nargs="+", metavar="FILE", help="audio or video")
    analyze_command.add_argument("--date", default="", help="date of the meeting, ISO 8601")
    analyze_command.add_argument(
        "--channels",
        choices=tuple(ChannelUse),
        default="",
        help="separate: each channel is one participant, such as a side of a call (default: mixed)",
    )
    analyze_command.add_argument("--json", action="store_true", help="print all answers with details as JSON")
    stream_command = add("stream", "Stream a meeting live to a running system, watch it, and print its report.")
    stream_command.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="audio or video, streamed in real time; 'sample': the bundled recording, '-': raw s16le on stdin",
    )
    stream_command.add_argument(
        "--mic", nargs="?", const="", metavar="DEVICE", help="stream a microphone (default: the system's input device)"
    )
    stream_command.add_argument(
        "--participant",
        action="append",
        default=[],
        metavar="NAME",
        help="name of the only speaker of a FILE; repeat for several FILEs, in their order",
    )
    stream_command.add_argument(
        "--speed",
        type=non_negative,
        default=1.0,
        help="speed of FILEs relative to real time; 0: as fast as accepted (default: 1)",
    )
    stream_command.add_argument("--rate", type=count, help="sample rate of '-', Hz (default: 16000)")
    stream_command.add_argument("--channels", type=count, help="number of interleaved channels of '-' (default: 1)")
    stream_command.add_argument(
        "--separate",
        action="store_true",
        help="treat each channel of '-' as one participant, named by one --participant each",
    )
    stream_command.add_argument(
        "--drop-every",
        type=non_negative,
        default=0.0,
        metavar="SECONDS",
        help="drop the connection periodically, to test reconnecting",
    )
    stream_command.add_argument("--resume", default="", metavar="SESSION", help="resume an open session")
    stream_command.add_argument("--json", action="store_true", help="print JSON lines: the session, then every event")
    search_command = add("search", SEARCH)
    search_arguments(search_command)
    for command in (analyze_command, stream_command, search_command):
        command.add_argument(
            "--gateway", help="URL of the gateway (default: MEETRA_URL, or that of the system on --data)"
        )
        command.add_argument(
            "--email", help="email of the user (default: MEETRA_EMAIL, or MEETRA_TOKEN's, or the demo user)"
        )
        command.add_argument("--password", help="password of the user (default: MEETRA_PASSWORD, or the demo user's)")
    for command in (analyze_command, stream_command):
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
    add("env", 'Print shell exports: eval "$(meetra env)".')
    users_commands(add("users", USERS))
    keys_commands(add("keys", KEYS))
    tokens_commands(add("tokens", TOKENS))
    add_arguments(add("organizations", ORGANIZATIONS))
    audit_arguments(add("audit", AUDIT))
    export_arguments(add("export", EXPORT))
    add("purge", PURGE)
    # Its arguments, including --help, are its own: main() passes them on before parsing.
    commands.add_parser("models", help=MODELS, description=MODELS)
    return root


async def run_up(arguments: argparse.Namespace) -> int:
    """Run ``meetra up``. Raises CannotStart."""
    recording = None
    if arguments.analyze:
        recording = SAMPLE if arguments.analyze == "sample" else Path(arguments.analyze)
        if not recording.is_file():
            raise CannotStart(f"recording not found: {recording}")
    origins = tuple(arguments.cors_origin)
    return await up(UpOptions(arguments.data, arguments.ready_file, arguments.host, arguments.port, recording, origins))


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


async def run_env(arguments: argparse.Namespace) -> int:
    """Run ``meetra env``: print exports for a shell."""
    account = account_on(arguments.data)
    async with client_of(account) as client:
        token = await client.token()
    exports = {
        "MEETRA_URL": account.url,
        "MEETRA_EMAIL": account.email,
        "MEETRA_PASSWORD": account.password,
        "MEETRA_TOKEN": token,
    }
    for name, value in exports.items():
        print(f"export {name}={shlex.quote(value or '')}")
    return 0


def main() -> int:
    """Run one command and return the exit code; 0 on success."""
    if sys.argv[1:2] == ["models"]:
        return run_models(sys.argv[2:])
    arguments = parser().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # gRPC's log messages do not help users.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    commands = {
        "up": run_up,
        "analyze": run_analyze,
        "stream": run_stream,
        "env": run_env,
        "users": run_users,
        "purge": run_purge,
        "search": run_search,
        "organizations": run_organizations,
        "keys": run_keys,
        "tokens": run_tokens,
        "audit": run_audit,
        "export": run_export,
    }
    try:
        return asyncio.run(commands[arguments.command](arguments))
    except REFUSALS as error:
        print(f"meetra: {escape_lines(str(error))}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read the output has left, as `head` does. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

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

import argcomplete

from cli import (
    archive,
    audit,
    backup,
    completion,
    doctor,
    keys,
    mcp,
    meeting_export,
    meeting_report,
    meetings,
    open_page,
    organizations,
    purge,
    search,
    tokens,
    users,
    webhooks,
)
from cli.account import DEFAULT_DATA, BadAddress, account_on, client_of, resolve_account
from cli.analyze import analyze
from cli.archive import CannotWrite
from cli.argument_types import ip_address, web_origin
from cli.audio_sources import SourceUnusable
from cli.audit import NoSuchOrganization
from cli.backup import BackupFailed
from cli.console import PipedConsole
from cli.home import NotRunning
from cli.keys import NoSuchKey
from cli.media_arguments import analyze_arguments, stream_arguments
from cli.meeting_export import CannotExport
from cli.meeting_named import NoSuchMeeting
from cli.models import DESCRIPTION as MODELS
from cli.models import run_models
from cli.postgres import PostgresUnusable
from cli.purge import PurgeFailed
from cli.settings import BadSettings
from cli.stream import StreamOptions, stream
from cli.terminal_text import escape_lines
from cli.up import SAMPLE, CannotStart, UpOptions, up
from cli.users import NoSuchUser
from gateway import EnvoyMissing
from meetra_client import MeetraError
from privacy import TlsUnusable, UnsafeFile
from server.audio import StoreUnavailable
from server.auth import UnusableTokenKeys
from server.storage import DatabaseUnavailable, EmailTaken

# Errors that are reported in one line, without a stack trace.
REFUSALS = (
    BadAddress,
    BadSettings,
    CannotStart,
    CannotExport,
    CannotWrite,
    NotRunning,
    PostgresUnusable,
    EnvoyMissing,
    TlsUnusable,
    UnusableTokenKeys,
    DatabaseUnavailable,
    EmailTaken,
    NoSuchKey,
    NoSuchMeeting,
    NoSuchOrganization,
    NoSuchUser,
    MeetraError,
    SourceUnusable,
    UnsafeFile,
    PurgeFailed,
    BackupFailed,
    StoreUnavailable,
)

# Commands whose modules have ``DESCRIPTION`` and ``add_arguments``, and what runs each, in the order of the help.
MODULES = {
    "meetings": (meetings, meetings.run_meetings),
    "report": (meeting_report, meeting_report.run_report),
    "export": (meeting_export, meeting_export.run_export),
    "search": (search, search.run_search),
    "mcp": (mcp, mcp.run_mcp),
    "open": (open_page, open_page.run_open),
    "doctor": (doctor, doctor.run_doctor),
    "users": (users, users.run_users),
    "keys": (keys, keys.run_keys),
    "webhooks": (webhooks, webhooks.run_webhooks),
    "tokens": (tokens, tokens.run_tokens),
    "organizations": (organizations, organizations.run_organizations),
    "audit": (audit, audit.run_audit),
    "archive": (archive, archive.run_archive),
    "completion": (completion, completion.run_completion),
}


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
    up_command.add_argument("--open", action="store_true", help="open the page in the browser once it is served")
    up_command.add_argument(
        "--cors-origin",
        action="append",
        type=web_origin,
        default=[],
        metavar="ORIGIN",
        help="allow browser calls from pages of this origin (https://app.example, https://*.example.com; *: of all);"
        " repeatable",
    )
    analyze_arguments(add("analyze", "Analyse recordings on a running system and print a report of each."))
    stream_arguments(add("stream", "Stream a meeting live to a running system, watch it, and print its report."))
    add("env", 'Print shell exports: eval "$(meetra env)".')
    for name, (module, _) in MODULES.items():
        module.add_arguments(add(name, module.DESCRIPTION))
    backup.add_backup_arguments(add("backup", backup.BACKUP))
    backup.add_restore_arguments(add("restore", backup.RESTORE))
    add("purge", purge.DESCRIPTION)
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
    place = (arguments.data, arguments.ready_file, arguments.host, arguments.port)
    return await up(UpOptions(*place, recording, origins, arguments.open))


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
    commands_parser = parser()
    # Does something only where the shell asks what may follow.
    argcomplete.autocomplete(commands_parser)
    arguments = commands_parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # gRPC's log messages do not help users.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    commands = {
        "up": run_up,
        "analyze": run_analyze,
        "stream": run_stream,
        "env": run_env,
        **{name: run for name, (_, run) in MODULES.items()},
        "backup": backup.run_backup,
        "restore": backup.run_restore,
        "purge": purge.run_purge,
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

"""``meetra report``: the report of a finished meeting."""

from __future__ import annotations

import argparse

from cli.account import add_account_arguments, client_of, resolve_account
from cli.answers import fetch
from cli.console import PipedConsole
from cli.meeting_named import add_meeting_argument, file_hash_of
from cli.report import show
from cli.terminal_text import as_json

EXAMPLES = """\
examples:
  meetra report latest
  meetra report 12b9b6 --json | jq .balance
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.formatter_class, command.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    add_meeting_argument(command)
    add_account_arguments(command)
    command.add_argument("--json", action="store_true", help="print all answers with details as JSON")


async def run_report(arguments: argparse.Namespace) -> int:
    """Print the report; return 0. Raises NotRunning, BadAddress, NoSuchMeeting, MeetraError."""
    async with client_of(resolve_account(arguments)) as client:
        file_hash = await file_hash_of(client, arguments.meeting)
        answers = await fetch(client, file_hash)
    if arguments.json:
        print(as_json({"file_hash": file_hash, **answers.to_document()}, indent=2))
    else:
        show(PipedConsole(soft_wrap=True), file_hash[:12], answers)
    return 0

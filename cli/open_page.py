"""``meetra open``: the page of the running system, or of a meeting, in the browser."""

from __future__ import annotations

import argparse
import sys

from cli.account import add_account_arguments, client_of, resolve_account
from cli.browser import open_in_browser
from cli.meeting_named import add_meeting_argument, file_hash_of

EXAMPLES = """\
examples:
  meetra open
  meetra open latest
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.formatter_class, command.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    add_meeting_argument(command, optional=True)
    add_account_arguments(command)
    command.add_argument("--print", action="store_true", help="print the address and open nothing")


async def run_open(arguments: argparse.Namespace) -> int:
    """Open the page; return 0, or 1 where there is no browser. Raises NotRunning, NoSuchMeeting, MeetraError."""
    account = resolve_account(arguments)
    address = f"{account.url.rstrip('/')}/"
    if arguments.meeting is not None:
        async with client_of(account) as client:
            address += f"#/meetings/{await file_hash_of(client, arguments.meeting)}"
    if arguments.print:
        print(address)
        return 0
    if not open_in_browser(address):
        print(f"no browser was found on this machine; the address is {address}", file=sys.stderr)
        return 1
    print(address)
    return 0

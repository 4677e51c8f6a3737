"""``meetra meetings``: list and delete the meetings of the user's organization."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta

from google.protobuf.json_format import MessageToDict
from meetra.v1 import meetings_pb2
from rich.table import Table
from rich.text import Text

from cli.account import add_account_arguments, client_of, resolve_account
from cli.argument_types import add_actions, count
from cli.console import PipedConsole
from cli.meeting_named import add_meeting_argument, file_hash_of
from cli.terminal_text import as_json
from server.visible_text import escape_for_terminal

ACTIONS = {
    "list": "print the meetings, newest first",
    "delete": "delete a meeting with its recording, answers and speakers, for good",
}
EXAMPLES = """\
examples:
  meetra meetings list --limit 5
  meetra meetings list --json | jq -r 'select(.status == "failed") | .name'
  meetra meetings delete 12b9b6 --yes
"""
# Digits of a hash in the list: enough for any other command.
SHOWN_DIGITS = 12


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add a subcommand for each action."""
    command.formatter_class, command.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    for name, action in add_actions(command, ACTIONS).items():
        add_account_arguments(action)
        if name == "list":
            action.add_argument("--limit", type=count, default=0, metavar="N", help="at most N (default: all)")
            action.add_argument("--json", action="store_true", help="print a line of JSON for each, as REST lists them")
        else:
            add_meeting_argument(action)
            action.add_argument("--yes", action="store_true", help="do not ask")


async def run_meetings(arguments: argparse.Namespace) -> int:
    """Run an action of ``meetra meetings``; return 0, or 1 if the user does not want the deletion after all.

    Raises NotRunning, BadAddress, NoSuchMeeting, MeetraError.
    """
    return await (_list(arguments) if arguments.action == "list" else _delete(arguments))


async def _list(arguments: argparse.Namespace) -> int:
    meetings: list[meetings_pb2.MeetingSummary] = []
    listed = 0
    async with client_of(resolve_account(arguments)) as client:
        async for meeting in client.meetings():
            if arguments.json:
                print(as_json(MessageToDict(meeting, always_print_fields_with_no_presence=True)), flush=True)
            else:
                meetings.append(meeting)
            listed += 1
            if listed == arguments.limit:
                break
    if not arguments.json:
        console = PipedConsole(soft_wrap=True)
        console.print(meetings_table(meetings) if meetings else "No meetings yet: meetra analyze FILE")
    return 0


def meetings_table(meetings: list[meetings_pb2.MeetingSummary]) -> Table:
    """Return the list for people."""
    table = Table("meeting", "date", "length", "people", "status", "name", box=None)
    for meeting in meetings:
        length = str(timedelta(seconds=round(meeting.duration_ms / 1000))) if meeting.duration_ms else ""
        table.add_row(
            meeting.file_hash[:SHOWN_DIGITS],
            (meeting.date or meeting.created_at)[:10],
            length,
            str(meeting.speakers or ""),
            meeting.status,
            Text(escape_for_terminal(meeting.name)),
        )
    return table


async def _delete(arguments: argparse.Namespace) -> int:
    async with client_of(resolve_account(arguments)) as client:
        file_hash = await file_hash_of(client, arguments.meeting)
        if not arguments.yes:
            state = await client.status(file_hash)
            print(f"Delete meeting {file_hash[:SHOWN_DIGITS]} ({state.status}) for good? [y/N] ", end="", flush=True)
            if sys.stdin.readline().strip().lower() not in ("y", "yes"):
                print("nothing was deleted")
                return 1
        await client.delete(file_hash)
    print(f"deleted {file_hash}")
    return 0

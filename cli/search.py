"""``meetra search``: what was said about something, in all meetings of the organization."""

from __future__ import annotations

import argparse
import sys

from google.protobuf.json_format import MessageToDict
from meetra.v1 import search_pb2

from cli.account import add_account_arguments, client_of, resolve_account
from cli.argument_types import count
from cli.meeting_named import file_hash_of, meeting_name
from cli.report_group import clock
from cli.terminal_text import as_json, escape_message

EXAMPLES = """\
examples:
  meetra search release date
  meetra search '"release date" -invoice' --speaker ada --from 2026-11-01
  meetra search 'what will it cost?' --by meaning --json
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.formatter_class, command.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    add_account_arguments(command)
    command.add_argument(
        "query", nargs="+", help='words or a question; "in quotes": as it stands; -word: must not be there'
    )
    command.add_argument("--by", choices=("words", "meaning"), default="", help="only by this (default: by both)")
    command.add_argument("--speaker", default="", metavar="NAME", help="part of a speaker's name")
    command.add_argument("--from", dest="date_from", default="", metavar="DAY", help="first day, such as 2026-11-23")
    command.add_argument("--to", dest="date_to", default="", metavar="DAY", help="last day")
    command.add_argument("--topic", default="", help="part of a topic's name, or of one of its keywords")
    command.add_argument("--language", default="", help="language of sentences, such as de")
    command.add_argument(
        "--meeting",
        type=meeting_name,
        metavar="HASH",
        help="one meeting: its file hash, or the beginning of it; latest",
    )
    command.add_argument("--limit", type=count, default=0, help="how many sentences, 1 to 100 (default: 20)")
    command.add_argument("--json", action="store_true", help="print the answer as REST has it")


async def run_search(arguments: argparse.Namespace) -> int:
    """Print what was found; return 0, or 1 if nothing was, as grep does.

    Raises NotRunning, BadAddress, NoSuchMeeting, BadRequest or another MeetraError.
    """
    async with client_of(resolve_account(arguments)) as client:
        file_hash = await file_hash_of(client, arguments.meeting) if arguments.meeting else ""
        answer = await client.search(
            " ".join(arguments.query),
            by=arguments.by,
            speaker=arguments.speaker,
            date_from=arguments.date_from,
            date_to=arguments.date_to,
            topic=arguments.topic,
            language=arguments.language,
            file_hash=file_hash,
            limit=arguments.limit,
        )
    if arguments.json:
        print(as_json(MessageToDict(answer, always_print_fields_with_no_presence=True), indent=2))
    else:
        for result in answer.results:
            print(describe(escape_message(result)))
        if answer.notice:
            print(f"meetra: {answer.notice}", file=sys.stderr)
    return 0 if answer.results else 1


def describe(result: search_pb2.SearchResult) -> str:
    """Return a result for people, in two lines; its texts are safe to print."""
    day = (result.date or result.created_at)[:10]
    reason = ", ".join(result.matched_words)
    if result.HasField("similarity") and not result.matched_words:
        reason = f"meaning {result.similarity:.2f}"
    speaker = result.speaker or "unknown speaker"
    where = f"{result.meeting or result.file_hash[:12]}, {day}, {clock(result.start_ms)}, {speaker}"
    return f"{where}  [{reason}]\n  {result.text}"

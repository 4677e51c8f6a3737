"""Which meeting a command is about: its hash, the beginning of it, or ``latest``."""

from __future__ import annotations

import argparse
import re

from meetra.v1 import meetings_pb2

from meetra_client import MeetraClient

LATEST = "latest"
HASH_DIGITS = 64
# Fewer digits begin the hashes of too many meetings to be meant.
LEAST_DIGITS = 6


class NoSuchMeeting(Exception):
    """No meeting, or more than one, is meant; the message says which ones."""


def meeting_name(text: str) -> str:
    """Parse what names a meeting. Raises argparse.ArgumentTypeError."""
    name = text.strip().lower()
    if name == LATEST or re.fullmatch(rf"[0-9a-f]{{{LEAST_DIGITS},{HASH_DIGITS}}}", name):
        return name
    raise argparse.ArgumentTypeError(
        f"{text!r} names no meeting: give its file hash, at least {LEAST_DIGITS} digits of its beginning, or {LATEST};"
        " `meetra meetings` lists them"
    )


def add_meeting_argument(command: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """Add the argument that names a meeting."""
    command.add_argument(
        "meeting",
        nargs="?" if optional else None,
        type=meeting_name,
        metavar="MEETING",
        help=f"file hash, its first digits, or {LATEST}: what was uploaded or opened last",
    )


async def file_hash_of(client: MeetraClient, name: str) -> str:
    """Return the file hash of the meeting that ``meeting_name`` parsed. Raises NoSuchMeeting or MeetraError."""
    if len(name) == HASH_DIGITS:
        return name
    found: list[meetings_pb2.MeetingSummary] = []
    async for meeting in client.meetings():
        if name == LATEST:
            return meeting.file_hash
        if meeting.file_hash.startswith(name):
            found.append(meeting)
    if len(found) == 1:
        return found[0].file_hash
    if name == LATEST:
        raise NoSuchMeeting("there is no meeting yet: `meetra analyze FILE` uploads a recording")
    if not found:
        raise NoSuchMeeting(f"no meeting's file hash begins with {name}: `meetra meetings` lists them")
    more = ", ".join(f"{meeting.file_hash[:12]} ({meeting.name})" for meeting in found[:5])
    raise NoSuchMeeting(f"{len(found)} meetings begin with {name}: {more}; give more digits")

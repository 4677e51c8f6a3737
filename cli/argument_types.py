"""Types of arguments of the command line, and subcommands.

Each type raises argparse.ArgumentTypeError with what is wrong and the fix.
"""

from __future__ import annotations

import argparse
import ipaddress
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from gateway import NoOrigin, parse_origin

# What numbers of messages hold; whether one makes sense is for the server to say.
MAX_COUNT = 2**31 - 1
# Of one kind on one machine: more do not fit, or belong on several.
MAX_PROCESSES = 16


def web_origin(text: str) -> str:
    """Parse an origin as browsers send it, or a pattern of some."""
    try:
        return parse_origin(text)
    except NoOrigin:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an origin; give scheme, host and optional port, such as https://app.example, with a"
            " wildcard for one label, https://*.example.com, or * for all origins"
        ) from None


def ip_address(text: str) -> str:
    """Parse an address to listen on."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an IP address; give one of this machine, such as 127.0.0.1"
        ) from None


def count(text: str) -> int:
    """Parse a whole number that is not negative."""
    # int() takes underscores, spaces and digits of all scripts, and raises on thousands of digits.
    if not re.fullmatch(r"[0-9]{1,10}", text) or (value := int(text)) > MAX_COUNT:
        raise argparse.ArgumentTypeError(f"give a whole number from 0 to {MAX_COUNT}")
    return value


def processes(text: str) -> int:
    """Parse a number of processes of one kind."""
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 1 <= (value := int(text)) <= MAX_PROCESSES:
        raise argparse.ArgumentTypeError(f"give a whole number from 1 to {MAX_PROCESSES}")
    return value


def non_negative(text: str) -> float:
    """Parse a number that is not negative."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return value


def moment(text: str) -> datetime:
    """Parse a date, or date and time, in UTC unless it has a zone."""
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time; give ISO 8601, such as 2026-11-23 or 2026-11-23T14:00:00Z"
        ) from None


def add_actions(command: argparse.ArgumentParser, actions: Mapping[str, str]) -> dict[str, argparse.ArgumentParser]:
    """Add a subcommand for each action, with its help text; return their parsers by name."""
    subcommands = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    parsers = {name: subcommands.add_parser(name, help=text, description=text) for name, text in actions.items()}
    for parser in parsers.values():
        # Also after the action; what stands before it is kept.
        parser.add_argument("--data", type=Path, default=argparse.SUPPRESS, help="data folder")
    return parsers

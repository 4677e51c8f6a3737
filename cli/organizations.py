"""``meetra organizations``: what organizations use and may use."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from cli.home import owner_url
from server.config import QuotaSettings, invalid_settings
from server.quotas import MS_PER_MINUTE, UNLIMITED
from server.storage import Connection, Database, OrganizationUse, audit, quotas, users

DESCRIPTION = "Show what organizations use and may use, or change the quotas of one."
UNWRAPPED = 1000
UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
QUOTAS = {
    "upload_bytes_per_day": "bytes uploaded on a day (UTC)",
    "minutes_per_day": "minutes of audio analysed on a day (UTC)",
    "stored_bytes": "bytes of stored recordings",
    "uploads_at_once": "uploads running at once in an API process",
}


class BadSettings(Exception):
    """A setting of the environment is invalid; the message names it."""


def quota(text: str) -> int | None:
    """Parse a quota: a number, with K, M, G or T for binary multiples; ``unlimited``; ``default``, which is None.

    Raises argparse.ArgumentTypeError.
    """
    if text == "default":
        return None
    if text == "unlimited":
        return UNLIMITED
    digits, unit = (text[:-1], UNITS[text[-1]]) if text[-1:] in UNITS else (text, 1)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18) or int(digits) * unit > UNLIMITED:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a quota: give a whole number such as 600 or 50G, unlimited, or default"
        )
    return int(digits) * unit


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.add_argument("organization", nargs="?", help="name of the organization to change (default: show all)")
    for name, text in QUOTAS.items():
        command.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            type=quota,
            default=argparse.SUPPRESS,
            metavar="N",
            help=f"{text}: a number (50G: 50 GiB), unlimited, or default for the server's setting",
        )


async def run_organizations(arguments: argparse.Namespace) -> int:
    """Run the command; return 1 if there is no such organization, 2 if there is nothing to change.

    Raises NotRunning, DatabaseUnavailable, BadSettings.
    """
    changes = {name: getattr(arguments, name) for name in QUOTAS if hasattr(arguments, name)}
    # Read by programs, a row is a line.
    console = Console(width=None if sys.stdout.isatty() else UNWRAPPED)
    if changes and not arguments.organization:
        console.print("name the organization whose quotas are to change", highlight=False)
        return 2
    try:
        defaults = QuotaSettings().quotas
    except ValidationError as error:
        raise BadSettings(invalid_settings(error, "MEETRA_")) from None
    database = await Database.connect(owner_url(arguments.data))
    try:
        if changes and not await database.run(lambda c: _override(c, arguments.organization, changes)):
            console.print(f"organization not found: {arguments.organization}", highlight=False, markup=False)
            return 1
        found = await database.run(lambda c: quotas.list_all(c, defaults))
    finally:
        await database.close()
    shown = [one for one in found if arguments.organization in (None, one.name)]
    if not shown and arguments.organization:
        console.print(f"organization not found: {arguments.organization}", highlight=False, markup=False)
        return 1
    console.print(use_table(shown))
    return 0


async def _override(connection: Connection, organization: str, changes: Mapping[str, int | None]) -> bool:
    organization_id = await users.find_organization(connection, organization)
    if organization_id is None:
        return False
    await audit.add_by_operator(connection, organization_id, "meetra organizations", "change")
    return await quotas.override(connection, organization, changes)


def use_table(organizations: Sequence[OrganizationUse]) -> Table:
    """Return what each organization uses of what it may use."""
    table = Table("organization", "meetings", "stored", "uploaded today", "minutes today", "uploads at once", box=None)
    for one in organizations:
        use, limits = one.use, one.use.quotas
        table.add_row(
            # A name is not markup.
            one.name.replace("[", r"\["),
            str(one.meetings),
            f"{size(use.stored_bytes)} of {size(limits.stored_bytes)}",
            f"{size(use.upload_bytes)} of {size(limits.upload_bytes_per_day)}",
            f"{-(-use.analysed_ms // MS_PER_MINUTE)} of {number(limits.minutes_per_day)}",
            number(limits.uploads_at_once),
        )
    return table


def size(value: int) -> str:
    """Return a number of bytes for people."""
    if value >= UNLIMITED:
        return number(value)
    name, unit = next(((name, unit) for name, unit in reversed(UNITS.items()) if value >= unit), ("", 1))
    return f"{value / unit:.3g} {name}iB" if name else f"{value} B"


def number(value: int) -> str:
    """Return a limit for people."""
    return "unlimited" if value >= UNLIMITED else str(value)

"""``meetra organizations``: what organizations use and may use, and their policies."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from cli.home import owner_url
from cli.settings import checked
from server.config import QuotaSettings
from server.conversation import format_redaction_kinds, parse_redaction_kinds
from server.policy import MAX_DAYS, Policy, check_setting
from server.quotas import MS_PER_MINUTE, UNLIMITED
from server.storage import Connection, Database, OrganizationUse, audit, organizations, quotas

UNWRAPPED = 1000
UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
QUOTAS = {
    "upload_bytes_per_day": "bytes uploaded on a day (UTC)",
    "minutes_per_day": "minutes of audio analysed on a day (UTC)",
    "stored_bytes": "bytes of stored recordings",
    "uploads_at_once": "uploads running at once in an API process",
}


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


def days(text: str) -> int:
    """Parse a number of days; ``never`` is 0. Raises argparse.ArgumentTypeError."""
    if text == "never":
        return 0
    try:
        value = int(text)
        check_setting("retention_meeting_days", value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days: give 1 to {MAX_DAYS}, or never") from None
    return value


def yes_or_no(text: str) -> bool:
    """Parse ``yes`` or ``no``. Raises argparse.ArgumentTypeError."""
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")
    return text == "yes"


def redacted(text: str) -> str:
    """Parse kinds of redaction separated by commas; ``nothing`` is none. Raises argparse.ArgumentTypeError."""
    try:
        return format_redaction_kinds(parse_redaction_kinds("" if text == "nothing" else text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}, or nothing") from None


# By field of ``Policy``: what parses an option's value, and its help.
POLICY: dict[str, tuple[Callable[[str], object], str]] = {
    "retention_audio_days": (days, "days after which the audio of a meeting is deleted, or never"),
    "retention_transcript_days": (days, "days after which what was said in a meeting is deleted, or never"),
    "retention_meeting_days": (days, "days after which a meeting is deleted with everything, or never"),
    "consent_required": (yes_or_no, "whether meetings without a note of consent are refused: yes or no"),
    "redact": (redacted, "what is redacted in new meetings: of email,phone,card,iban,name, or nothing"),
}


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
    for name, (parse, text) in POLICY.items():
        command.add_argument(
            f"--{name.replace('_', '-')}", dest=name, type=parse, default=argparse.SUPPRESS, metavar="V", help=text
        )


async def run_organizations(arguments: argparse.Namespace) -> int:
    """Run the command; return 1 if there is no such organization, 2 if there is nothing to change.

    Raises NotRunning, DatabaseUnavailable, BadSettings.
    """
    changes, settings = (
        {name: getattr(arguments, name) for name in names if hasattr(arguments, name)} for names in (QUOTAS, POLICY)
    )
    # Read by programs, a row is a line.
    console = Console(width=None if sys.stdout.isatty() else UNWRAPPED)
    if (changes or settings) and not arguments.organization:
        console.print("name the organization whose quotas or policy are to change", highlight=False)
        return 2
    defaults = checked(QuotaSettings).quotas
    database = await Database.connect(owner_url(arguments.data))
    try:
        if arguments.organization and not await database.run(
            lambda c: change(c, arguments.organization, changes, settings)
        ):
            console.print(f"organization not found: {arguments.organization}", highlight=False, markup=False)
            return 1
        found = await database.run(lambda c: quotas.list_all(c, defaults))
        policy = await database.run(lambda c: find_policy(c, arguments.organization))
    finally:
        await database.close()
    console.print(use_table([one for one in found if arguments.organization in (None, one.name)]))
    if policy is not None:
        console.print(policy_table(policy))
    return 0


async def change(
    connection: Connection, organization: str, changes: dict[str, int | None], settings: dict[str, object]
) -> bool:
    """Change quotas and settings of an organization, by name; return False if there is no such organization."""
    id_ = await organizations.find_named(connection, organization)
    if id_ is None:
        return False
    if changes or settings:
        await audit.add_by_operator(connection, id_, "meetra organizations", "change")
    if changes:
        await quotas.override(connection, organization, changes)
    await organizations.set_policy(connection, id_, settings)
    return True


async def find_policy(connection: Connection, organization: str | None) -> Policy | None:
    """Return the policy of the organization of that name; None if none is named."""
    id_ = await organizations.find_named(connection, organization) if organization else None
    return None if id_ is None else (await organizations.find(connection, id_)).policy


def policy_table(policy: Policy) -> Table:
    """Return an organization's settings, as the options name them."""
    table = Table("policy", "", box=None)
    for name, value in asdict(policy).items():
        if isinstance(value, bool):
            shown = "yes" if value else "no"
        else:
            shown = "never" if name.endswith("_days") and not value else str(value) or "nothing"
        table.add_row(name.replace("_", "-"), shown)
    return table


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

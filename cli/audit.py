"""``meetra audit``: the audit log of an organization, for the operator."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.json_format import MessageToDict

from cli.argument_types import moment
from cli.home import owner_url
from cli.terminal_text import as_json
from server.audit import audit_message
from server.storage import AUDIT_ACTIONS, AuditEvent, AuditFilter, AuditPage, Connection, Database, audit, organizations

PAGE = 1000


class NoSuchOrganization(Exception):
    """No organization has the name; the message says so."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.add_argument("organization", help="name of the organization")
    command.add_argument(
        "--since", type=moment, metavar="TIME", help="from this moment on, ISO 8601 (UTC without a zone)"
    )
    command.add_argument("--until", type=moment, metavar="TIME", help="before this moment")
    command.add_argument("--actor", default="", metavar="ID", help="id of a user or key; operator; unknown")
    command.add_argument("--object", default="", metavar="ID", help="id of a speaker, user, ...; hash of a meeting")
    command.add_argument("--action", default="", choices=AUDIT_ACTIONS, help="only events of this action")
    command.add_argument("--json", action="store_true", help="print JSON lines, as REST has the events")


async def run_audit(arguments: argparse.Namespace) -> int:
    """Print the events; return 0. Raises NotRunning, NoSuchOrganization, DatabaseUnavailable."""
    database = await Database.connect(owner_url(arguments.data), patience_s=5)
    wanted = AuditFilter(arguments.actor, arguments.object, arguments.action, arguments.since, arguments.until)
    try:
        organization_id = await find_organization(database, arguments.organization)
        before: tuple[datetime, UUID] | None = None

        async def read(connection: Connection) -> AuditPage:
            if before is None:
                await audit.add_by_operator(connection, organization_id, "meetra audit", "read")
            return await audit.list_page(connection, organization_id, wanted, PAGE, before)

        while True:
            page = await database.run(read)
            for event in page.events:
                print(as_json(rest_json(event)) if arguments.json else line(event))
            if (before := page.ends_at) is None:
                break
    finally:
        await database.close()
    return 0


async def find_organization(database: Database, name: str) -> UUID:
    """Return the id of the organization. Raises NoSuchOrganization."""
    found = await database.run(lambda c: organizations.find_named(c, name))
    if found is None:
        raise NoSuchOrganization(f"organization not found: {name}")
    return found


def rest_json(event: AuditEvent) -> dict[str, object]:
    """Return an event as REST has it."""
    message: dict[str, object] = MessageToDict(audit_message(event), always_print_fields_with_no_presence=True)
    return message


def line(event: AuditEvent) -> str:
    """Return an event for people."""
    at = event.happened_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    who = f"{event.actor} {event.key_id or event.user_id or ''}".strip()
    what = f"{event.object_kind} {event.object_id}".strip() or "-"
    times = f"  {event.count} times" if event.count > 1 else ""
    where, how = event.address or "-", event.status or "begun"
    return f"{at}  {event.action}  {event.method}  {what}  by {who}  from {where}  {how}{times}"

"""``meetra users``: the administrator's commands, made in the database itself."""

from __future__ import annotations

import argparse
import secrets
from typing import Any
from uuid import UUID

from cli.argument_types import add_actions
from cli.home import owner_url
from server.auth import hash_password
from server.storage import ROLES, Connection, Database, EmailTaken, User, audit, users

ACTIONS = {
    "list": "print the users of all organizations, or of one",
    "add": "create a user and print the password, or give a known user a new one",
    "role": "set the role of a user",
    "disable": "refuse a user's logins and tokens",
    "enable": "accept a disabled user's logins again",
    "revoke": "void all tokens of a user",
    "delete": "delete a user; the meetings stay",
}


class NoSuchUser(Exception):
    """No user has the address; the message says so."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add a subcommand for each action."""
    for name, action in add_actions(command, ACTIONS).items():
        if name != "list":
            action.add_argument("email")
        if name in ("list", "add"):
            action.add_argument("--organization", help="name (add: Demo by default)")
        if name in ("add", "role"):
            default = " (default: owner for the first of an organization, else member)" if name == "add" else ""
            action.add_argument("--role", choices=ROLES, required=name == "role", help=f"role of the user{default}")


async def run_users(arguments: argparse.Namespace) -> int:
    """Run an action of ``meetra users``; return 0. Raises NotRunning, NoSuchUser, EmailTaken, DatabaseUnavailable."""
    database = await Database.connect(owner_url(arguments.data), patience_s=5)
    try:
        if arguments.action == "list":
            await _list(database, arguments.organization)
        elif arguments.action == "add":
            await _add(database, arguments.organization or "Demo", arguments.email, arguments.role)
        else:
            await _change(database, arguments)
    finally:
        await database.close()
    return 0


async def _list(database: Database, organization: str | None) -> None:
    for user in await database.run(lambda c: users.list_all(c, organization)):
        state = "disabled" if user.disabled else "enabled"
        print(f"{user.email}  {user.organization}  {user.role}  {state}")


async def _add(database: Database, organization: str, email: str, role: str | None) -> None:
    password = secrets.token_urlsafe(12)
    hashed = hash_password(password)

    async def work(connection: Connection) -> None:
        user_id = await users.ensure_user(connection, organization, email, hashed, role)
        user = await users.find(connection, user_id)
        assert user is not None
        await audit.add_by_operator(connection, user.organization_id, "meetra users add", "change", "user", user_id)

    try:
        await database.run(work)
    except EmailTaken:
        raise EmailTaken(
            f"{email} is a user of another organization than {organization}: delete that user first, or choose another"
            " address"
        ) from None
    print(f"user {email} of {organization}, password {password}  (shown only once)")


async def _change(database: Database, arguments: argparse.Namespace) -> None:
    email, action = arguments.email, arguments.action

    async def work(connection: Connection) -> None:
        user = await users.find_by_email(connection, email)
        if user is None:
            raise NoSuchUser(f"user not found: {email}")
        await _change_user(connection, user, action, getattr(arguments, "role", None))
        kind = "delete" if action == "delete" else "change"
        await audit.add_by_operator(connection, user.organization_id, f"meetra users {action}", kind, "user", user.id)

    await database.run(work)
    done = {
        "role": f"{email} has the role {getattr(arguments, 'role', None)}",
        "disable": f"{email} is disabled",
        "enable": f"{email} is enabled",
        "revoke": "tokens revoked",
        "delete": f"{email} is deleted",
    }
    print(done[action])


async def _change_user(connection: Connection, user: User, action: str, role: str | None) -> None:
    whom: tuple[Any, UUID, UUID] = (connection, user.organization_id, user.id)
    if action == "role":
        await users.update(*whom, role=role)
    elif action in ("disable", "enable"):
        await users.update(*whom, disabled=action == "disable")
    elif action == "revoke":
        await users.void_tokens(*whom)
    else:
        await users.delete(*whom)

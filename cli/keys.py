"""``meetra keys``: the administrator's commands for API keys, made in the database itself."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from uuid import UUID, uuid4

from cli.argument_types import add_actions
from cli.home import owner_url
from cli.users import NoSuchUser
from server.auth import ApiKey, new_secret
from server.storage import SCOPES, Connection, Database, audit, keys, users

ACTIONS = {
    "list": "print the keys of all users, or of one",
    "add": "make a key for a user and print it, once",
    "revoke": "void a key at once",
}


class NoSuchKey(Exception):
    """No key has the id; the message says so."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add a subcommand for each action."""
    for name, action in add_actions(command, ACTIONS).items():
        if name == "revoke":
            action.add_argument("id", type=UUID)
        else:
            action.add_argument("email", nargs="?" if name == "list" else None)
        if name == "add":
            action.add_argument("--name", required=True, help="what the key is for")
            action.add_argument(
                "--scope", action="append", required=True, choices=SCOPES, help="what the key may do; repeatable"
            )
            action.add_argument("--days", type=int, default=0, help="expires after so many days (default: never)")


async def run_keys(arguments: argparse.Namespace) -> int:
    """Run an action of ``meetra keys``; return 0. Raises NotRunning, NoSuchUser, NoSuchKey, DatabaseUnavailable."""
    database = await Database.connect(owner_url(arguments.data), patience_s=5)
    try:
        if arguments.action == "list":
            await _list(database, arguments.email)
        elif arguments.action == "add":
            await _add(database, arguments)
        else:
            await database.run(lambda c: _revoke(c, arguments.id))
            print("key revoked")
    finally:
        await database.close()
    return 0


async def _revoke(connection: Connection, id_: UUID) -> None:
    user_id = await keys.delete(connection, None, None, id_)
    user = await users.find(connection, user_id) if user_id else None
    if user is None:
        raise NoSuchKey(f"key not found: {id_}")
    await audit.add_by_operator(connection, user.organization_id, "meetra keys revoke", "delete", "key", id_)


async def _list(database: Database, email: str | None) -> None:
    for key in await database.run(lambda c: keys.list_all(c, email)):
        until = f"expires {_day(key.expires_at)}" if key.expires_at else "never expires"
        used = f"last used {_day(key.last_used_at)}" if key.last_used_at else "never used"
        print(f"{key.id}  {key.email}  {','.join(key.scopes)}  {until}  {used}  {key.name!r}")


async def _add(database: Database, arguments: argparse.Namespace) -> None:
    id_, secret = uuid4(), new_secret()

    async def work(connection: Connection) -> None:
        user = await users.find_by_email(connection, arguments.email)
        if user is None:
            raise NoSuchUser(f"user not found: {arguments.email}")
        await keys.add(
            connection,
            user.organization_id,
            user.id,
            id_,
            name=arguments.name,
            secret_hash=ApiKey.of(secret).secret_hash,
            scopes=[scope for scope in SCOPES if scope in arguments.scope],
            expires_in_days=max(arguments.days, 0),
        )
        await audit.add_by_operator(connection, user.organization_id, "meetra keys add", "change", "key", id_)

    await database.run(work)
    print(f"key {id_} of {arguments.email}: {secret}  (shown only once)")


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()

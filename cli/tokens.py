"""``meetra tokens``: the keys that sign tokens."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.argument_types import add_actions
from cli.home import Home
from cli.settings import checked
from privacy import close_new_files
from server.auth import TokenKey, add_key, ensure_key, read_keys, remove_spent, revoke_key
from server.config import TokenSettings

ACTIONS = {
    "list": "print the keys, oldest first, and which one signs",
    "rotate": "make a new key, which signs a minute later; tokens of the others stay valid until they expire",
    "revoke": "remove a key at once, and void all tokens that it signed",
}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add a subcommand for each action."""
    for name, action in add_actions(command, ACTIONS).items():
        action.add_argument(
            "--keys", type=Path, metavar="FOLDER", help="folder of the keys (default: the one of --data)"
        )
        if name == "revoke":
            action.add_argument("id", help="as `meetra tokens list` prints it")


async def run_tokens(arguments: argparse.Namespace) -> int:
    """Run an action of ``meetra tokens``; return 0. Raises UnusableTokenKeys, UnsafeFile, BadSettings."""
    close_new_files()
    folder = arguments.keys or Home(arguments.data.resolve()).token_keys
    now = datetime.now(UTC)
    if arguments.action == "list":
        _list(folder, now)
    elif arguments.action == "rotate":
        _rotate(folder, now)
    else:
        revoke_key(folder, arguments.id, now)
        print(f"key {arguments.id} revoked; its users log in again")
    return 0


def _list(folder: Path, now: datetime) -> None:
    present = read_keys(folder)
    signing = present.signing(now)
    for key in present.keys:
        later = f"signs {_later(key)}" if key.made_at > signing.made_at else "verifies"
        state = "signs" if key == signing else later
        print(f"{key.key_id}  made {_time(key.made_at)}  {state}")


def _rotate(folder: Path, now: datetime) -> None:
    ttl = timedelta(seconds=checked(TokenSettings).token_ttl_s)
    folder.parent.mkdir(parents=True, exist_ok=True)
    first = not folder.exists() or not any(folder.iterdir())
    ensure_key(folder, now)
    key = read_keys(folder).keys[0] if first else add_key(folder, now)
    print(f"new key {key.key_id}; it signs {'at once' if first else _later(key)}")
    for key_id in remove_spent(folder, ttl, now):
        print(f"removed the key {key_id}: its last token has expired")


def _later(key: TokenKey) -> str:
    return f"from {_time(key.signs_at)} on"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"

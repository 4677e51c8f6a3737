"""``meetra env``: the running system as variables of a shell."""

from __future__ import annotations

import argparse
import shlex

from cli.account import account_on, client_of


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command: it has none of its own."""


async def run_env(arguments: argparse.Namespace) -> int:
    """Run ``meetra env``: print exports for a shell."""
    account = account_on(arguments.data)
    async with client_of(account) as client:
        token = await client.token()
    exports = {
        "MEETRA_URL": account.url,
        "MEETRA_EMAIL": account.email,
        "MEETRA_PASSWORD": account.password,
        "MEETRA_TOKEN": token,
    }
    for name, value in exports.items():
        print(f"export {name}={shlex.quote(value or '')}")
    return 0

"""Which server a command asks, and as whom: options, the environment, or the system on the data folder."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cli.home import DEFAULT_DATA, running_system
from meetra_client import Account, MeetraClient, Patience, environment_account

# A command outlasts the restart of a part of the system.
PATIENCE = Patience(open_s=60.0, call_s=60.0)
# Once, for what is only good to know.
IMPATIENCE = Patience(open_s=0.0, call_s=0.0)


class BadAddress(Exception):
    """The address of a server is none; the message shows what one looks like."""


def add_account_arguments(command: argparse.ArgumentParser) -> None:
    """Add the options that say which server a command asks, and as whom."""
    command.add_argument("--gateway", help="URL of the gateway (default: MEETRA_URL, or that of the system on --data)")
    command.add_argument(
        "--email", help="email of the user (default: MEETRA_EMAIL, or MEETRA_TOKEN's, or the demo user)"
    )
    command.add_argument("--password", help="password of the user (default: MEETRA_PASSWORD, or the demo user's)")


def resolve_account(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Account:
    """Return the server and the user of a command with the options of ``add_account_arguments``.

    Options come first, then ``MEETRA_URL`` and the user of the environment (``meetra_client.environment_account``),
    then the system on ``--data``. With a stated ``--data`` the environment counts only for the password of a stated
    email: the rest of it may be of another system.

    Raises NotRunning.
    """
    if arguments.data is not DEFAULT_DATA:
        environment = {"MEETRA_PASSWORD": environment.get("MEETRA_PASSWORD", "")} if arguments.email else {}
    url = arguments.gateway or environment.get("MEETRA_URL")
    if not (arguments.email or arguments.password):
        account = environment_account(url or "", environment)
        if account is not None:
            return account if url else replace(account, url=account_on(arguments.data).url)
    password = arguments.password or environment.get("MEETRA_PASSWORD")
    if url and arguments.email and password:
        return Account(url, email=arguments.email, password=password)
    system = account_on(arguments.data)
    return Account(url or system.url, email=arguments.email or system.email, password=password or system.password)


def account_on(data: Path) -> Account:
    """Return the system that runs on a data folder, and its demo user. Raises NotRunning."""
    return described_account(running_system(data))


def described_account(system: dict[str, Any]) -> Account:
    """Return what ``gateway``, ``email`` and ``password`` of a running system say."""
    return Account(system["gateway"], email=system["email"], password=system["password"])


def client_of(account: Account, patience: Patience = PATIENCE) -> MeetraClient:
    """Return a client, which logs in once it is entered. Raises BadAddress."""
    try:
        return MeetraClient(
            account.url, token=account.token, email=account.email, password=account.password, patience=patience
        )
    except ValueError as error:
        raise BadAddress(str(error)) from None

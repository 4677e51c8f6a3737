"""The server and the user that the environment names, for the client and for ``meetra``.

``MEETRA_URL``; ``MEETRA_EMAIL`` and ``MEETRA_PASSWORD``, or ``MEETRA_TOKEN``, a token or an API key. ``meetra env``
prints all of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

# How API keys begin.
KEY_PREFIX = "mk_"


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a server: a token or an API key, or email and password."""

    url: str
    token: str | None = field(default=None, repr=False)
    email: str | None = None
    password: str | None = field(default=None, repr=False)


def environment_account(url: str, environment: Mapping[str, str] = os.environ) -> Account | None:
    """Return the user of the environment on a server; None if it names none. Empty values do not count.

    An API key decides alone: it may be meant to do less than the user. A token does so only where email or password is
    missing: it expires, and would be had with them.
    """
    token = environment.get("MEETRA_TOKEN")
    email, password = environment.get("MEETRA_EMAIL"), environment.get("MEETRA_PASSWORD")
    if email and password and not (token or "").startswith(KEY_PREFIX):
        return Account(url, email=email, password=password)
    return Account(url, token=token) if token else None


def resolve_account(
    url: str | None,
    token: str | None,
    email: str | None,
    password: str | None,
    environment: Mapping[str, str] = os.environ,
) -> Account:
    """Complete what was given from the environment.

    Where any credentials are given, the environment has at most the password of a given email.

    Raises ValueError, naming the variables, where the address or the credentials are missing, or both kinds are given.
    """
    if not (url := url or environment.get("MEETRA_URL")):
        raise ValueError("which server? pass its address, or set MEETRA_URL")
    if token is not None:
        if email is not None or password is not None:
            raise ValueError("pass either a token, or email and password")
        return Account(url, token=token)
    if email is None and password is None:
        account = environment_account(url, environment)
    else:
        password = password or environment.get("MEETRA_PASSWORD")
        account = Account(url, email=email, password=password) if email and password else None
    if account is None:
        raise ValueError(
            "who asks? pass either a token, or email and password; or set MEETRA_EMAIL and MEETRA_PASSWORD, or"
            " MEETRA_TOKEN (a token or an API key)"
        )
    return account

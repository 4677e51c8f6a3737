"""The server and the user that the environment names, for the client and for ``meetra``.

``MEETRA_URL``; ``MEETRA_TOKEN``, a token or an API key, or ``MEETRA_EMAIL`` and ``MEETRA_PASSWORD``. ``meetra env``
prints all of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a server: a token, or email and password."""

    url: str
    token: str | None = None
    email: str | None = None
    password: str | None = None


def resolve_account(
    url: str | None,
    token: str | None,
    email: str | None,
    password: str | None,
    environment: Mapping[str, str] = os.environ,
) -> Account:
    """Complete what was given from the environment, of which empty values do not count.

    A token that is given, or else an email, decides alone: the environment's other credentials are then ignored, except
    the password of a given email. Without either, the environment's token comes before its email and password.

    Raises ValueError, naming the variables, where the address or the credentials are missing, or both kinds are given.
    """
    if not (url := url or environment.get("MEETRA_URL")):
        raise ValueError("which server? pass its address, or set MEETRA_URL")
    if token is not None:
        if email is not None or password is not None:
            raise ValueError("pass either a token, or email and password")
        return Account(url, token=token)
    if email is None and password is None and (token := environment.get("MEETRA_TOKEN")):
        return Account(url, token=token)
    email = email or environment.get("MEETRA_EMAIL")
    password = password or environment.get("MEETRA_PASSWORD")
    if not (email and password):
        raise ValueError(
            "who asks? pass either a token, or email and password; or set MEETRA_TOKEN (a token or an API key), or"
            " MEETRA_EMAIL and MEETRA_PASSWORD"
        )
    return Account(url, email=email, password=password)

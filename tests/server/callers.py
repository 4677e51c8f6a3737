"""Callers, as the authenticator makes them."""

from __future__ import annotations

import time
from uuid import uuid4

from server.auth import Caller
from server.auth.tokens import Claims
from server.storage.users import User


def caller(user: User) -> Caller:
    """The user with a fresh token."""
    token = Claims(user.id, uuid4(), user.token_generation, time.time() + 3600, "a key")
    return Caller(user.id, user.organization_id, token, user.role)

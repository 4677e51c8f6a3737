"""Validation of email addresses and passwords in requests."""

from __future__ import annotations

import re

from server.errors import BadRequest
from server.visible_text import find_flaw

MAX_EMAIL = 320
MIN_NEW_PASSWORD, MAX_PASSWORD = 12, 1024
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


def validate_new_email(value: str) -> str:
    """Return the address of a user to add, in lower case. Raises BadRequest naming ``email``."""
    email = value.strip().lower()
    if len(email) > MAX_EMAIL:
        raise BadRequest("email", f"{len(email)} characters; the limit is {MAX_EMAIL}")
    if not _ADDRESS.fullmatch(email):
        raise BadRequest("email", "must be an address such as ada@example.org")
    if reason := find_flaw(email):
        raise BadRequest("email", reason)
    return email


def validate_password(field: str, password: str, least: int = MIN_NEW_PASSWORD) -> str:
    """Return the password. Raises BadRequest naming ``field`` unless it has ``least`` to 1024 characters."""
    if not least <= len(password) <= MAX_PASSWORD:
        raise BadRequest(field, f"must be {least} to {MAX_PASSWORD} characters")
    return password

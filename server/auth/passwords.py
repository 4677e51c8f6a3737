"""Password hashing: argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane)."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Each check takes 19 MiB and about 40 ms of a core; more at once would starve live streams.
MAX_CONCURRENT_CHECKS = 2


def hash_password(password: str) -> str:
    """Return a salted hash of ``password``; takes about 40 ms."""
    return _HASHER.hash(password)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


class Passwords:
    """Check passwords off the event loop, a few at a time, at equal cost for unknown users."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_CHECKS)
        self._dummy_hash = hash_password("no user has this password")

    async def check(self, password_hash: str | None, password: str) -> bool:
        """Return whether the password matches; for an unknown user (None), False after the same work."""
        async with self._slots:
            matches = await asyncio.to_thread(_verify, password_hash or self._dummy_hash, password)
        return matches and password_hash is not None

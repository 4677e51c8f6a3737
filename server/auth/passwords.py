"""Password hashing: argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane), a few at a time."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.errors import TooManyLogins
from server.fair_slots import FairSlots

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Each check takes 19 MiB and about 20 ms of a core; more at once would starve live streams.
MAX_CONCURRENT_CHECKS = 2
# Of one caller, who waits for about a second then; others are not kept waiting by them.
MAX_WAITING_CHECKS = 64
# Calls with a token go first (Linux only: elsewhere a thread has no priority of its own).
NICENESS = 5
_BUSY_RETRY_S = 2


def hash_password(password: str) -> str:
    """Return a salted hash of ``password``; takes about 20 ms."""
    return _HASHER.hash(password)


def password_matches(password_hash: str, password: str) -> bool:
    """Return whether the hash is one of ``password``; takes as long as ``hash_password``."""
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _yield_to_others() -> None:
    if sys.platform == "linux":
        thread = threading.get_native_id()
        # Never higher than what the process was started at, which root could.
        os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))


class Passwords:
    """Hash and check passwords off the event loop in a bounded queue, at equal cost for unknown users."""

    def __init__(self, max_waiting: int = MAX_WAITING_CHECKS) -> None:
        self._slots: FairSlots[Hashable] = FairSlots(MAX_CONCURRENT_CHECKS)
        self._waiting, self._max_waiting = Counter[Hashable](), max_waiting
        # Threads of its own: those of the event loop write audio.
        self._threads = ThreadPoolExecutor(MAX_CONCURRENT_CHECKS, "passwords", _yield_to_others)
        self._dummy_hash = hash_password("no user has this password")

    @asynccontextmanager
    async def turn(self, caller: Hashable) -> AsyncIterator[None]:
        """Wait for one of the few turns at which passwords are checked; callers have them one after the other.

        Raises TooManyLogins if too many of the caller wait.
        """
        if self._waiting[caller] >= self._max_waiting:
            raise TooManyLogins(_BUSY_RETRY_S)
        self._waiting[caller] += 1
        async with AsyncExitStack() as held:
            try:
                await held.enter_async_context(self._slots.place(caller))
            finally:
                self._waiting[caller] -= 1
                if not self._waiting[caller]:
                    del self._waiting[caller]
            yield

    async def check(self, password_hash: str | None, password: str) -> bool:
        """Return whether the password matches; for an unknown user (None), False after the same work. Needs a turn."""
        matches = await self._run(password_matches, password_hash or self._dummy_hash, password)
        return bool(matches) and password_hash is not None

    async def hash(self, password: str) -> str:
        """Return a salted hash of ``password``. Needs a turn."""
        return str(await self._run(hash_password, password))

    async def _run(self, work: object, *values: str) -> object:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *values)  # type: ignore[arg-type]

"""Tells who depends on users that some of them changed: disabled, deleted, logged out, of another role or password."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from uuid import UUID

from server.storage import USERS_CHANNEL, Database, DatabaseUnavailable

log = logging.getLogger(__name__)
# All users count as changed that often, whether or not anything was announced.
LOOK_AGAIN_S = 60.0
# Between two looks at the connection on which changes are announced.
CHECK_CONNECTION_S = 1.0

# Called with the users that changed; None: anybody may have.
Told = Callable[[Collection[UUID] | None], Awaitable[None]]


class UserWatch:
    """Listens to the database's announcements."""

    def __init__(self, database: Database, look_again_s: float = LOOK_AGAIN_S) -> None:
        self._database = database
        self._look_again_s = look_again_s
        self._told: list[Told] = []
        self._changed: set[UUID] = set()
        self._anybody = False
        self._wake = asyncio.Event()

    def subscribe(self, told: Told) -> None:
        """Call ``told`` at each change, after those that subscribed before."""
        self._told.append(told)

    async def changed(self, user_id: UUID) -> None:
        """Tell everybody in this process of a change that it made; returns when all have dealt with it."""
        await self._tell({user_id})

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._tell_forever())

    async def _listen(self) -> None:
        # What was announced before there was a connection is not known.
        await self._database.keep_listening(USERS_CHANNEL, self._note, CHECK_CONNECTION_S, lambda: self._note(""))

    def _note(self, announced: str) -> None:
        try:
            self._changed.add(UUID(announced))
        except ValueError:
            self._anybody = True
        self._wake.set()

    async def _tell_forever(self) -> None:
        loop = asyncio.get_running_loop()
        look_again_at = loop.time() + self._look_again_s
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(look_again_at):
                    await self._wake.wait()
            everybody = self._anybody or loop.time() >= look_again_at
            changed = None if everybody else frozenset(self._changed)
            self._wake.clear()
            self._changed.clear()
            if everybody:
                self._anybody, look_again_at = False, loop.time() + self._look_again_s
            await self._tell(changed)

    async def _tell(self, changed: Collection[UUID] | None) -> None:
        for told in self._told:
            try:
                await told(changed)
            except DatabaseUnavailable as error:
                log.warning("users are looked at again later: %s", error)

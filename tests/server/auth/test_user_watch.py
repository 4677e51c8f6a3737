"""A watch of users ends when it is told to, whatever is announced at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from server.auth import UserWatch

PATIENCE_S = 60


class AnnouncedByHand:
    """In place of a database, which announces when it is told to: no real one does so in the step of a cancellation."""

    def __init__(self) -> None:
        self.announce: Callable[[str], None] = lambda _: None

    async def keep_listening(self, _: str, note: Callable[[str], None], *__: object) -> None:
        self.announce = note
        await asyncio.Event().wait()


async def test_a_change_that_is_announced_as_the_watch_ends_does_not_keep_it_going() -> None:
    database: Any = AnnouncedByHand()
    heard = asyncio.Event()
    watch = UserWatch(database, look_again_s=3600)

    async def hear(_: object) -> None:
        heard.set()

    watch.subscribe(hear)
    watching = asyncio.create_task(watch.run())
    async with asyncio.timeout(PATIENCE_S):
        while not heard.is_set():
            database.announce("")
            await asyncio.sleep(0)
    # It deals with what it has heard, and waits for the next: a few steps of the loop, however long each takes.
    for _ in range(100):
        await asyncio.sleep(0)
    database.announce("")
    watching.cancel()
    done, _ = await asyncio.wait([watching], timeout=PATIENCE_S)
    assert done
    assert watching.cancelled()

"""Concurrent work of one session, bounded in number; results are taken when they are done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


class WorkUnderWay(Generic[Piece, Result]):
    """Pending work of one session, each task with the item it processes."""

    def __init__(self, take: Callable[[Piece, Result], None], changed: Callable[[], None]) -> None:
        """
        Args:
            take: called once with each item and its result.
            changed: called when an item is done.
        """
        self._take_result, self._changed = take, changed
        self._tasks: dict[asyncio.Task[Result], Piece] = {}

    def __iter__(self) -> Iterator[Piece]:
        """Iterate over the items whose results have not been taken."""
        return iter(self._tasks.values())

    def running(self) -> Iterator[Piece]:
        """Iterate over the items that are not done."""
        return (piece for task, piece in self._tasks.items() if not task.done())

    def start(self, piece: Piece, work: Coroutine[Any, Any, Result]) -> None:
        """Start the work on an item."""
        task = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._changed())
        self._tasks[task] = piece

    def take_done(self) -> None:
        """Take the results that are done. Raises what the work raised."""
        for task in [task for task in self._tasks if task.done()]:
            self._take(task)

    async def wait(self, at_most: int) -> None:
        """Wait until at most so many items are pending, and take the others' results. Raises what the work raised."""
        while len(self._tasks) > at_most:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                self._take(task)

    async def close(self) -> None:
        """Cancel pending work and wait until it has stopped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _take(self, task: asyncio.Task[Result]) -> None:
        piece = self._tasks.pop(task)
        self._take_result(piece, task.result())

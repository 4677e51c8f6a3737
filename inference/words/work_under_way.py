"""Work that a recogniser does beside what goes on: a few pieces at once, taken when they are done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


class WorkUnderWay(Generic[Piece, Result]):
    """Pieces of work of one session, each with what it is done to."""

    def __init__(self, take: Callable[[Piece, Result], None], changed: Callable[[], None]) -> None:
        """
        Args:
            take: is given each piece and its result, once.
            changed: is called when a piece is done.
        """
        self._take_result, self._changed = take, changed
        self._tasks: dict[asyncio.Task[Result], Piece] = {}

    def __iter__(self) -> Iterator[Piece]:
        """The pieces whose results were not taken."""
        return iter(self._tasks.values())

    def running(self) -> Iterator[Piece]:
        """The pieces that are not done."""
        return (piece for task, piece in self._tasks.items() if not task.done())

    def start(self, piece: Piece, work: Coroutine[Any, Any, Result]) -> None:
        """Begins the work on a piece."""
        task = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._changed())
        self._tasks[task] = piece

    def take_done(self) -> None:
        """Takes what is done. Raises what the work raised."""
        for task in [task for task in self._tasks if task.done()]:
            self._take(task)

    async def wait(self, at_most: int) -> None:
        """Waits until at most so many pieces are under way, and takes the others. Raises what the work raised."""
        while len(self._tasks) > at_most:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                self._take(task)

    async def close(self) -> None:
        """Cancels what is under way and waits until it is gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _take(self, task: asyncio.Task[Result]) -> None:
        piece = self._tasks.pop(task)
        self._take_result(piece, task.result())

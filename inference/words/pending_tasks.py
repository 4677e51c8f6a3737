"""Concurrent work of one session, bounded in number; results are taken when they are done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class PendingTasks(Generic[Item, Result]):
    """Pending work of one session, each task with the item it processes."""

    def __init__(self, on_result: Callable[[Item, Result], None], on_done: Callable[[], None]) -> None:
        """
        Args:
            on_result: called once with each item and its result.
            on_done: called when an item is done.
        """
        self._on_result, self._on_done = on_result, on_done
        self._tasks: dict[asyncio.Task[Result], Item] = {}

    def __iter__(self) -> Iterator[Item]:
        """Iterate over the items whose results have not been taken."""
        return iter(self._tasks.values())

    def running(self) -> Iterator[Item]:
        """Iterate over the items that are not done."""
        return (item for task, item in self._tasks.items() if not task.done())

    def start(self, item: Item, work: Coroutine[Any, Any, Result]) -> None:
        """Start the work on an item."""
        task = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._on_done())
        self._tasks[task] = item

    def collect_done(self) -> None:
        """Take the results that are done. Raises what the work raised."""
        for task in [task for task in self._tasks if task.done()]:
            self._collect(task)

    async def wait(self, at_most: int) -> None:
        """Wait until at most so many items are pending, and take the others' results. Raises what the work raised."""
        while len(self._tasks) > at_most:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                self._collect(task)

    async def close(self) -> None:
        """Cancel pending work and wait until it has stopped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _collect(self, task: asyncio.Task[Result]) -> None:
        item = self._tasks.pop(task)
        self._on_result(item, task.result())

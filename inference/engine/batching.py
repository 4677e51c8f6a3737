"""Fair batching of many sessions' work into model calls.

Work waits in a queue for each owner (a session). When the model is free, the next call takes one item of each owner in
turn until it is full, so that a busy meeting never delays another by more than one call; ``inference.engine.turns``
says whose turn it is. While a call runs the next one fills: batches grow under load, and nothing waits without it.
Work with patience lets owners with due work go first.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from opentelemetry.trace import SpanContext

from inference.engine.turns import Turns
from inference.monitoring import BATCH_SIZE, CALL_SECONDS, FAILED, QUEUE_WAIT, QUEUED
from monitoring import batch as traced_batch
from monitoring import origin

Work = TypeVar("Work")
Result = TypeVar("Result")


@dataclass(slots=True)
class BatchStatistics:
    """Counters of a batcher since its start; times in seconds."""

    calls: int = 0
    works: int = 0
    """Items processed in these calls."""
    largest: int = 0
    """Largest number of items in a call."""
    waited_s: float = 0.0
    """From submission to the start of the call, summed over all items."""
    longest_wait_s: float = 0.0
    ran_s: float = 0.0
    """Total duration of calls."""
    failed: int = 0
    """Items on which the model failed."""


@dataclass(slots=True)
class _QueuedItem(Generic[Work, Result]):
    owner: Hashable
    work: Work
    future: asyncio.Future[Result]
    queued_at: float
    due: float
    origin: SpanContext


def _unit_size(_: object) -> int:
    return 1


def _single_group(_: object) -> Hashable:
    return None


def _nobody_asks(owner: Hashable, late_s: float) -> None:
    pass


class Batcher(Generic[Work, Result]):
    """The queue before one model. Use it on one event loop only."""

    def __init__(
        self,
        name: str,
        run: Callable[[list[Work]], Awaitable[list[Result]]],
        *,
        max_size: int,
        window_s: float = 0.0,
        parallel: int = 1,
        max_waiting: int = 1024,
        size: Callable[[Work], int] = _unit_size,
        group_of: Callable[[Work], Hashable] = _single_group,
        may_gather: Callable[[], bool] = lambda: True,
        turns: Turns | None = None,
        on_begin: Callable[[Hashable, float], None] = _nobody_asks,
    ) -> None:
        """
        Args:
            name: of the model, for errors, statistics and metrics: one of a few.
            run: processes several items and returns results in their order.
            max_size: maximum summed size of a call; a single item may exceed it.
            window_s: how long a call that is not full waits for more work, seconds.
            parallel: maximum number of concurrent calls.
            max_waiting: maximum number of items submitted and not done; further submitters wait.
            size: returns the size of an item.
            group_of: returns an item's kind; only items of one kind share a call (lengths that would be padded, say).
            may_gather: returns False while waiting for more work is pointless.
            turns: who comes next; by default each owner is a party of its own.
            on_begin: called with an item's owner when its call begins, and how long after it was due, seconds.
        """
        self.name = name
        self.statistics = BatchStatistics()
        self._queued, self._failed = QUEUED.labels(name), FAILED.labels(name)
        self._waits, self._sizes, self._durations = (m.labels(name) for m in (QUEUE_WAIT, BATCH_SIZE, CALL_SECONDS))
        self._run, self._size, self._group_of = run, size, group_of
        self._max_size, self._window_s, self._parallel = max_size, window_s, parallel
        self._may_gather, self._turns = may_gather, turns or Turns()
        self._room, self._on_begin = self._turns.room, on_begin
        self._waiting_size = 0
        self._capacity = asyncio.Semaphore(max_waiting)
        # Owners by turn; only those with work.
        self._queues: dict[Hashable, deque[_QueuedItem[Work, Result]]] = {}
        # With the time at which each began, by the monotonic clock.
        self._running: dict[asyncio.Task[None], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Number of items in the queue now."""
        return sum(map(len, self._queues.values()))

    @property
    def running_s(self) -> float:
        """For how long the oldest of the calls that run now has run, seconds; 0: none runs."""
        return time.monotonic() - min(self._running.values()) if self._running else 0.0

    def overdue(self) -> dict[Hashable, float]:
        """Return for how long the oldest item of each owner that waits for a call is due, seconds, at least 0."""
        now = time.monotonic()
        oldest = ((owner, queue[0]) for owner, queue in self._queues.items() if queue)
        return {owner: max(0.0, now - item.due) for owner, item in oldest if not item.future.done()}

    async def submit(self, owner: Hashable, work: Work, patience_s: float = 0.0) -> Result:
        """Queue one item and return its result. Raises what the model raises on this item.

        Args:
            owner: the session; its own items keep their order.
            work: the item.
            patience_s: how long due work of other owners goes first, seconds.
        """
        with self._queued.track_inprogress():
            return await self._submit(owner, work, patience_s)

    async def _submit(self, owner: Hashable, work: Work, patience_s: float) -> Result:
        async with self._capacity:
            now = time.monotonic()
            future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
            entry: _QueuedItem[Work, Result] = _QueuedItem(owner, work, future, now, now + patience_s, origin())
            self._queues.setdefault(owner, deque()).append(entry)
            self._waiting_size += self._size(work)
            if self._turns.is_bulk(owner):
                self._dispatch()
                return await entry.future
            self._room.submitted()
            try:
                self._dispatch()
                return await entry.future
            finally:
                self._room.done()

    def expedite(self, owner: Hashable) -> None:
        """Make all queued work of an owner due now."""
        now = time.monotonic()
        for entry in self._queues.get(owner, ()):
            entry.due = min(entry.due, now)

    async def close(self) -> None:
        """Cancel queued work and wait for running calls."""
        if self._timer is not None:
            self._timer.cancel()
        for queue in self._queues.values():
            for entry in queue:
                entry.future.cancel()
        self._queues.clear()
        self._waiting_size = 0
        await asyncio.gather(*self._running, return_exceptions=True)

    def _dispatch(self) -> None:
        """Start calls while there is work and the model is free."""
        while self._queues and len(self._running) < self._parallel:
            if self._should_wait():
                return
            if not (batch := self._next_batch()):
                return
            self._room.begin_call()
            task = asyncio.create_task(self._call(batch))
            self._running[task] = time.monotonic()
            task.add_done_callback(self._on_call_done)

    def _should_wait(self) -> bool:
        """Return whether a call that is not full yet should wait for more work."""
        if not self._window_s or self._waiting_size >= self._max_size or not self._may_gather():
            return False
        oldest = min(queue[0].queued_at for queue in self._queues.values())
        rest = oldest + self._window_s - time.monotonic()
        if rest <= 0:
            return False
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(rest, self._on_window_end)
        return True

    def _on_window_end(self) -> None:
        self._timer = None
        self._dispatch()

    def _on_call_done(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._dispatch()
        self._room.end_call()

    def _next_batch(self) -> list[_QueuedItem[Work, Result]]:
        """Take the next batch: an item of each owner by turn, round after round; bulk work where there is room."""
        batch: list[_QueuedItem[Work, Result]] = []
        filled, took = 0, True
        group: Hashable = None
        while took and filled < self._max_size:
            took = False
            now = time.monotonic()
            waited_s = {owner: now - queue[0].due for owner, queue in self._queues.items()}
            for owner, yields in self._turns.in_order(waited_s):
                queue = self._queues[owner]
                while queue and queue[0].future.done():  # cancelled by the caller
                    self._waiting_size -= self._size(queue.popleft().work)
                if not queue:
                    del self._queues[owner]
                    continue
                if yields and not self._room.is_there():
                    self._room.tell(self, self._dispatch)
                    continue
                work = queue[0].work
                if batch and (filled + self._size(work) > self._max_size or self._group_of(work) != group):
                    continue  # keeps its turn before those already served
                group, took = self._group_of(work), True
                batch.append(queue.popleft())
                filled += self._size(work)
                self._waiting_size -= self._size(work)
                del self._queues[owner]
                if queue:
                    self._queues[owner] = queue
                self._turns.served(owner)
                if filled >= self._max_size:
                    break
        return batch

    async def _call(self, batch: list[_QueuedItem[Work, Result]]) -> None:
        began = time.monotonic()
        self._count(batch, began)
        try:
            with traced_batch(self.name, [entry.origin for entry in batch]):
                results = await self._run([entry.work for entry in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"{self.name}: {len(results)} results for {len(batch)} items")
        except Exception as error:
            await self._retry_singly(batch, error)
        else:
            for entry, result in zip(batch, results, strict=True):
                if not entry.future.done():
                    entry.future.set_result(result)
        finally:
            ran_s = time.monotonic() - began
            self.statistics.ran_s += ran_s
            self._durations.observe(ran_s)
            for entry in batch:
                entry.future.cancel()  # no effect unless this call was cancelled

    def _count(self, batch: list[_QueuedItem[Work, Result]], began: float) -> None:
        waits = [began - entry.queued_at for entry in batch]
        counted = self.statistics
        counted.calls += 1
        counted.works += len(batch)
        counted.largest = max(counted.largest, len(batch))
        counted.waited_s += sum(waits)
        counted.longest_wait_s = max(counted.longest_wait_s, *waits)
        self._sizes.observe(len(batch))
        for entry, wait_s in zip(batch, waits, strict=True):
            self._waits.observe(wait_s)
            self._on_begin(entry.owner, max(0.0, began - entry.due))

    async def _retry_singly(self, batch: list[_QueuedItem[Work, Result]], error: Exception) -> None:
        """Retry a failed batch item by item, so that one meeting's audio never fails another's."""
        for entry in batch:
            if entry.future.done():
                continue
            failure: Exception | None = error if len(batch) == 1 else None
            if failure is None:
                try:
                    (result,) = await self._run([entry.work])
                    if not entry.future.done():
                        entry.future.set_result(result)
                except Exception as item_error:
                    failure = item_error
            if failure is not None and not entry.future.done():
                self.statistics.failed += 1
                self._failed.inc()
                entry.future.set_exception(failure)

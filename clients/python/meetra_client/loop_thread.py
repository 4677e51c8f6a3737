"""A thread with an event loop of its own, which runs coroutines for callers that block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from meetra_client.errors import Unreachable

T = TypeVar("T")
# How long work that was interrupted may take to end.
CANCEL_TIMEOUT_S = 10.0
_END = object()


class LoopThread:
    """A daemon thread with an event loop, started by the first call, and again by one after ``close``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` on the loop, wait for it, and return or raise its outcome.

        If the wait is interrupted, as by Ctrl-C, the work is cancelled and waited for, up to CANCEL_TIMEOUT_S.

        Raises RuntimeError on the loop's own thread, where it would wait for ever, and Unreachable where another thread
        calls ``close`` meanwhile.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("a callback of the client must not make a blocking call of the same client")
        outcome: Future[T] = Future()
        task: asyncio.Task[T] | None = None

        def begin() -> None:
            nonlocal task
            task = asyncio.get_running_loop().create_task(work)
            task.add_done_callback(partial(_settle, outcome))

        def end() -> None:
            if task is not None:
                task.cancel()
            else:
                work.close()
                outcome.cancel()

        try:
            # Inside the try: an interruption may come as soon as the work has begun, before there is a wait.
            self._call_on_loop(begin)
            return outcome.result()
        except CancelledError:
            raise Unreachable("the client was closed while a call waited") from None
        except BaseException:
            if not outcome.done():
                self._call_on_loop(end)
                with suppress(CancelledError, TimeoutError):
                    outcome.exception(CANCEL_TIMEOUT_S)
            raise

    def iterate(self, begin: Callable[[], AsyncIterator[T]]) -> Generator[T, None, None]:
        """Yield the values of an asynchronous iterator, which ends with this one."""
        with self._lock:
            loop = self._running_loop()
        values = begin()

        async def following() -> T | object:
            return await anext(values, _END)

        try:
            while (value := self.run(following())) is not _END:
                yield value  # type: ignore[misc]  # not the end: T
        finally:
            # The end of the loop has ended it already.
            if self._loop is loop and (close := getattr(values, "aclose", None)) is not None:
                self.run(close())

    def close(self) -> None:
        """End the thread, and what still runs on its loop."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _call_on_loop(self, callback: Callable[[], None]) -> None:
        with self._lock:  # so that ``close`` stops the loop either before this or after the callback
            self._running_loop().call_soon_threadsafe(callback)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_serve, args=(self._loop,), name="meetra_client", daemon=True)
            self._thread.start()
        return self._loop


def _settle(outcome: Future[T], task: asyncio.Task[T]) -> None:
    if task.cancelled():
        outcome.cancel()
    elif (error := task.exception()) is not None:
        outcome.set_exception(error)
    else:
        outcome.set_result(task.result())


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

"""The thread behind blocking calls: outcomes come back, interruptions end what was begun, nothing is left."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from meetra_client.errors import Unreachable
from meetra_client.loop_thread import LoopThread

INTERRUPTED = """
import asyncio, sys
from meetra_client.loop_thread import LoopThread

async def lasts():
    print("begun", flush=True)
    try:
        await asyncio.sleep(600)
    finally:
        await asyncio.sleep(0)
        print("ended", flush=True)

thread = LoopThread()
try:
    thread.run(lasts())
except KeyboardInterrupt:
    print("interrupted", flush=True)
thread.close()
"""


@pytest.fixture
def thread() -> LoopThread:
    return LoopThread()


async def number(value: int) -> int:
    await asyncio.sleep(0)
    return value


def test_outcomes_and_errors_come_back(thread: LoopThread) -> None:
    async def fails() -> None:
        raise ValueError("as it was told")

    assert [thread.run(number(1)), thread.run(number(2))] == [1, 2]
    with pytest.raises(ValueError, match="as it was told"):
        thread.run(fails())
    thread.close()


def test_values_are_iterated_over_and_the_iterator_ends_with_its_reader(thread: LoopThread) -> None:
    ended = []

    async def values() -> AsyncIterator[int | None]:
        try:
            for value in (1, None, 3):
                yield value
        finally:
            ended.append(True)

    assert list(thread.iterate(values)) == [1, None, 3]
    reading = iter(thread.iterate(values))
    assert next(reading) == 1
    del reading
    assert ended == [True, True]
    thread.close()


def test_closing_ends_the_thread_and_what_runs_on_it_and_a_later_call_starts_another(thread: LoopThread) -> None:
    cancelled = threading.Event()

    async def lasts() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            cancelled.set()

    async def leaves_it() -> asyncio.Task[None]:
        task = asyncio.create_task(lasts())
        await asyncio.sleep(0)
        return task

    task = thread.run(leaves_it())
    thread.close()
    assert cancelled.is_set()
    assert task.cancelled()
    assert thread.run(number(3)) == 3
    thread.close()
    thread.close()
    assert not [each for each in threading.enumerate() if each.name == "meetra_client"]


def test_a_call_from_a_callback_is_refused_and_does_not_hang(thread: LoopThread) -> None:
    async def calls_back() -> None:
        thread.run(number(1))

    with pytest.raises(RuntimeError, match="must not make a blocking call"):
        thread.run(calls_back())
    thread.close()


@pytest.mark.children
def test_ctrl_c_ends_the_work_before_the_caller_goes_on() -> None:
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.read() == "ended\ninterrupted\n"
    assert child.returncode == 0


def test_an_interruption_between_the_beginning_and_the_wait_ends_the_work_too(
    thread: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, ended = threading.Event(), threading.Event()

    async def lasts() -> None:
        began.set()
        try:
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0)
            ended.set()

    hand_over, interruptions = asyncio.SelectorEventLoop.call_soon_threadsafe, iter([KeyboardInterrupt])

    def interrupted(loop: asyncio.SelectorEventLoop, *given: Any, **named: Any) -> asyncio.Handle:
        handle = hand_over(loop, *given, **named)
        for interruption in interruptions:
            began.wait()
            raise interruption
        return handle

    monkeypatch.setattr(asyncio.SelectorEventLoop, "call_soon_threadsafe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        thread.run(lasts())
    assert ended.is_set()
    thread.close()


def test_an_interruption_before_the_beginning_begins_nothing(
    thread: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, hand_over, refusals = [], asyncio.SelectorEventLoop.call_soon_threadsafe, iter([KeyboardInterrupt])

    async def begins() -> None:
        begun.append(True)

    def interrupted(loop: asyncio.SelectorEventLoop, *given: Any, **named: Any) -> asyncio.Handle:
        for refusal in refusals:
            raise refusal
        return hand_over(loop, *given, **named)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "call_soon_threadsafe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        thread.run(begins())
    assert thread.run(number(1)) == 1
    assert not begun
    thread.close()


def test_an_iterator_closed_after_its_thread_starts_no_other(thread: LoopThread) -> None:
    async def values() -> AsyncIterator[int]:
        yield 1
        yield 2

    following = thread.iterate(values)
    assert next(following) == 1
    thread.close()
    following.close()
    assert "meetra_client" not in {other.name for other in threading.enumerate()}


def test_a_call_that_waits_while_the_thread_is_closed_is_an_error_of_the_client(thread: LoopThread) -> None:
    waits, told = threading.Event(), list[BaseException]()

    async def lasts() -> None:
        waits.set()
        await asyncio.sleep(600)

    def call() -> None:
        try:
            thread.run(lasts())
        except BaseException as error:
            told.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    assert waits.wait(60)
    thread.close()
    caller.join(60)
    assert [type(error) for error in told] == [Unreachable]

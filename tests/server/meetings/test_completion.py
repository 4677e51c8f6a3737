"""Work goes on to its end when whoever waits for it goes away."""

from __future__ import annotations

import asyncio

import pytest

from server.meetings.completion import run_to_completion


async def test_work_that_is_cancelled_is_waited_for() -> None:
    done = asyncio.Event()

    async def work() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        done.set()
        raise ValueError("nobody is left to hear this")

    waiting = asyncio.create_task(run_to_completion(work()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert done.is_set()

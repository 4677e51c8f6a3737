"""Work of a session beside the session: each result is taken once, and nothing runs when it is closed."""

from __future__ import annotations

import asyncio

import pytest

from inference.words.pending_tasks import PendingTasks


class Recognising:
    """Work that ends when it is told to, and what came of it."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, int]] = []
        self.changes = 0
        self.ended: dict[str, asyncio.Future[int]] = {}
        self.work: PendingTasks[str, int] = PendingTasks(lambda *pair: self.taken.append(pair), self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def start(self, *pieces: str) -> None:
        for piece in pieces:
            self.ended[piece] = asyncio.get_running_loop().create_future()
            self.work.start(piece, self._until_ended(piece))

    async def _until_ended(self, piece: str) -> int:
        return await self.ended[piece]


async def test_results_are_taken_once_when_they_are_done_in_any_order() -> None:
    one = Recognising()
    one.start("a", "b", "c")
    assert (list(one.work), list(one.work.running())) == (["a", "b", "c"], ["a", "b", "c"])
    one.ended["b"].set_result(2)
    while "b" in one.work.running():
        await asyncio.sleep(0)
    assert list(one.work) == ["a", "b", "c"]
    one.work.collect_done()
    one.work.collect_done()
    assert (one.taken, list(one.work)) == ([("b", 2)], ["a", "c"])
    one.ended["c"].set_result(3)
    one.ended["a"].set_result(1)
    await one.work.wait(0)
    assert sorted(one.taken) == [("a", 1), ("b", 2), ("c", 3)]
    await asyncio.sleep(0)
    assert one.changes == 3


async def test_waiting_ends_as_soon_as_few_enough_are_left() -> None:
    one = Recognising()
    one.start("a", "b")
    waiting = asyncio.create_task(one.work.wait(1))
    await asyncio.sleep(0)
    assert not waiting.done()
    one.ended["a"].set_result(1)
    await waiting
    assert (one.taken, list(one.work)) == ([("a", 1)], ["b"])
    await one.work.wait(1)
    await one.work.close()


async def test_a_failure_is_raised_by_whoever_takes() -> None:
    one = Recognising()
    one.start("a")
    one.ended["a"].set_exception(RuntimeError("the model broke"))
    with pytest.raises(RuntimeError, match="the model broke"):
        await one.work.wait(0)
    assert list(one.work) == []


async def test_what_is_closed_stops_before_that_returns() -> None:
    one = Recognising()
    one.start("a", "b")
    one.ended["b"].set_exception(RuntimeError("nobody asks"))
    await asyncio.sleep(0)
    await one.work.close()
    assert one.ended["a"].cancelled()
    assert (list(one.work), one.taken) == ([], [])

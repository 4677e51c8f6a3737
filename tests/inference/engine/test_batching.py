"""The queue before a model: gathering, fairness, back-pressure, faults."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from inference.engine.batching import Batcher
from inference.engine.room import Room
from inference.engine.turns import Turns

Run = Callable[[list[str]], Awaitable[list[str]]]


class SlowModel:
    """Upper-cases; keeps what each call was given. ``free`` lets calls end."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.free = asyncio.Event()

    async def __call__(self, work: list[str]) -> list[str]:
        self.calls.append(work)
        await self.free.wait()
        if "bad" in work:
            raise ValueError("cannot do bad")
        return [text.upper() for text in work]


async def handed_in(batcher: Batcher[str, str], work: list[tuple[str, str]]) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(batcher.submit(owner, text)) for owner, text in work]
    await everybody_had_a_turn()
    return tasks


async def everybody_had_a_turn() -> None:
    """Returns when all that can go on without waiting for anything has: no task here hands on to so many others."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_work_that_comes_while_a_call_runs_shares_the_next_one() -> None:
    model = SlowModel()
    batcher = Batcher("upper", model, max_size=8)
    tasks = await handed_in(batcher, [("a", "x1"), ("b", "y1"), ("c", "z1")])
    assert model.calls == [["x1"]]
    model.free.set()
    assert await asyncio.gather(*tasks) == ["X1", "Y1", "Z1"]
    assert model.calls == [["x1"], ["y1", "z1"]]
    assert (batcher.statistics.calls, batcher.statistics.works, batcher.statistics.largest) == (2, 3, 2)


async def test_anything_may_be_an_owner() -> None:
    model = SlowModel()
    model.free.set()
    batcher = Batcher("upper", model, max_size=1)
    assert await asyncio.wait_for(batcher.submit(None, "x"), 60) == "X"


async def test_an_owner_with_much_to_do_takes_turns_with_the_others() -> None:
    model = SlowModel()
    batcher = Batcher("upper", model, max_size=3)
    first = await handed_in(batcher, [("first", "0")])
    greedy = [("greedy", f"g{i}") for i in range(6)]
    tasks = await handed_in(batcher, [*greedy, ("a", "a0"), ("b", "b0")])
    model.free.set()
    await asyncio.gather(*first, *tasks)
    assert model.calls[1:] == [["g0", "a0", "b0"], ["g1", "g2", "g3"], ["g4", "g5"]]


async def test_a_party_of_many_owners_takes_turns_with_a_party_of_one() -> None:
    model = SlowModel()
    batcher = Batcher("upper", model, max_size=1, turns=Turns(lambda owner: str(owner)[0]))
    first = await handed_in(batcher, [("first", "0")])
    many = [(f"m{i}", f"m{i}") for i in range(6)]
    tasks = await handed_in(batcher, [*many, ("one", "o0"), ("one", "o1")])
    model.free.set()
    await asyncio.gather(*first, *tasks)
    assert model.calls[1:] == [["m0"], ["o0"], ["m1"], ["o1"], ["m2"], ["m3"], ["m4"], ["m5"]]


async def test_a_call_takes_one_of_each_party_before_a_second_of_any() -> None:
    model = SlowModel()
    batcher = Batcher("upper", model, max_size=3, turns=Turns(lambda owner: str(owner)[0]))
    first = await handed_in(batcher, [("first", "0")])
    tasks = await handed_in(batcher, [("m0", "m0"), ("m1", "m1"), ("m2", "m2"), ("one", "o"), ("two", "t")])
    model.free.set()
    await asyncio.gather(*first, *tasks)
    assert model.calls[1:] == [["m0", "o", "t"], ["m1", "m2"]]


async def test_work_that_is_due_goes_before_work_that_can_wait() -> None:
    model = SlowModel()
    batcher = Batcher("upper", model, max_size=1)
    first = await handed_in(batcher, [("first", "0")])
    patient = [asyncio.create_task(batcher.submit(owner, f"{owner}1", 60)) for owner in ("a", "b")]
    tasks = await handed_in(batcher, [("c", "c1"), ("b", "b2"), ("d", "d1")])
    model.free.set()
    await asyncio.gather(*first, *patient, *tasks)
    # b's own work keeps its order, so that b waits as long as its first piece can.
    assert [call[0] for call in model.calls] == ["0", "c1", "d1", "a1", "b1", "b2"]


async def test_patience_ends_by_itself_or_by_the_owner_s_word() -> None:
    model = SlowModel()
    batcher = Batcher("upper", model, max_size=1)
    first = await handed_in(batcher, [("first", "0")])
    patience = {"a": 60.0, "b": 60.0, "c": 0.02}
    patient = [asyncio.create_task(batcher.submit(owner, f"{owner}1", s)) for owner, s in patience.items()]
    tasks = await handed_in(batcher, [("d", "d1")])
    batcher.expedite("b")
    batcher.expedite("nobody")
    await asyncio.sleep(0.03)
    model.free.set()
    await asyncio.gather(*first, *patient, *tasks)
    assert [call[0] for call in model.calls] == ["0", "b1", "c1", "d1", "a1"]


async def test_sizes_fill_a_call_and_only_like_work_shares_one() -> None:
    model = SlowModel()
    batcher = Batcher("upper", model, max_size=4, size=len, group_of=lambda text: text[0])
    tasks = await handed_in(
        batcher, [("0", "-"), ("1", "aa"), ("2", "bb"), ("3", "aa"), ("4", "a"), ("5", "bbbbbb"), ("6", "b")]
    )
    model.free.set()
    await asyncio.gather(*tasks)
    assert model.calls[0] == ["-"]
    assert sorted(model.calls[1:]) == [["a"], ["aa", "aa"], ["bb", "b"], ["bbbbbb"]]
    assert model.calls[2][0] == "bb", "whoever was passed over is first in the next call"


async def test_a_window_gathers_and_a_full_call_does_not_wait() -> None:
    model = SlowModel()
    model.free.set()
    batcher = Batcher("upper", model, max_size=2, window_s=600)
    both = await asyncio.wait_for(asyncio.gather(*(batcher.submit(o, w) for o, w in ("ax", "by"))), 60)
    assert both == ["X", "Y"]
    assert model.calls == [["x", "y"]]
    patient = Batcher("upper", model, max_size=2, window_s=0.05)
    began = time.monotonic()
    assert await patient.submit("a", "z") == "Z"
    assert time.monotonic() - began >= 0.045


async def test_a_window_is_of_no_use_to_one_alone_and_sizes_fill_it() -> None:
    model = SlowModel()
    model.free.set()
    alone = Batcher("upper", model, max_size=8, window_s=600, may_gather=lambda: False)
    assert await asyncio.wait_for(alone.submit("a", "x"), 60) == "X"
    large = Batcher("upper", model, max_size=3, window_s=600, size=len)
    assert await asyncio.wait_for(large.submit("a", "xyz"), 60) == "XYZ"


async def test_a_fault_stays_with_the_work_that_caused_it() -> None:
    model = SlowModel()
    batcher = Batcher("upper", model, max_size=8)
    tasks = await handed_in(batcher, [("0", "-"), ("a", "good"), ("b", "bad"), ("c", "fine")])
    model.free.set()
    _, good, bad, fine = await asyncio.gather(*tasks, return_exceptions=True)
    assert (good, fine) == ("GOOD", "FINE")
    assert isinstance(bad, ValueError)
    assert batcher.statistics.failed == 1
    with pytest.raises(ValueError, match="cannot do bad"):
        await batcher.submit("b", "bad")


async def test_who_brings_more_than_there_is_room_for_waits() -> None:
    model = SlowModel()
    batcher = Batcher("upper", model, max_size=1, max_waiting=2)
    tasks = await handed_in(batcher, [("a", str(i)) for i in range(5)])
    assert batcher.waiting == 1, "one runs, one waits in the queue, the others before it"
    model.free.set()
    assert await asyncio.gather(*tasks) == list("01234")


async def test_work_given_up_is_never_run() -> None:
    model = SlowModel()
    batcher = Batcher("upper", model, max_size=1)
    held, given_up, kept = await handed_in(batcher, [("a", "1"), ("a", "2"), ("a", "3")])
    given_up.cancel()
    model.free.set()
    assert [await held, await kept] == ["1", "3"]
    assert ["2"] not in model.calls


async def test_a_call_that_answers_too_little_is_a_fault() -> None:
    async def answers_nothing(_: list[str]) -> list[str]:
        return []

    with pytest.raises(RuntimeError, match="0 results for 1"):
        await Batcher("mute", answers_nothing, max_size=1).submit("a", "x")


async def test_the_end_leaves_nothing_behind() -> None:
    model = SlowModel()
    batcher = Batcher("upper", model, max_size=1)
    tasks = await handed_in(batcher, [("a", "1"), ("a", "2")])
    ending = asyncio.create_task(batcher.close())
    await everybody_had_a_turn()
    model.free.set()
    await ending
    assert await tasks[0] == "1"
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]
    assert not batcher.waiting


async def test_bulk_work_begins_where_there_is_room_and_is_not_forgotten() -> None:
    room, first, second = Room(1), SlowModel(), SlowModel()
    queue, other = (
        Batcher(name, model, max_size=8, turns=Turns(is_bulk=lambda owner: owner == "bulk", room=room))
        for name, model in (("first", first), ("second", second))
    )
    tasks = await handed_in(queue, [("live", "l0")])
    tasks += await handed_in(other, [("bulk", "b0")])
    assert (first.calls, second.calls) == ([["l0"]], [])
    tasks += await handed_in(other, [("live", "l1")])
    assert second.calls == [["l1"]], "other work begins, and takes no bulk work along"
    first.free.set()
    second.free.set()
    assert await asyncio.gather(*tasks) == ["L0", "B0", "L1"]
    assert second.calls == [["l1"], ["b0"]]


async def test_bulk_work_alone_waits_for_nothing() -> None:
    model = SlowModel()
    batcher = Batcher("upper", model, max_size=1, parallel=3, turns=Turns(is_bulk=lambda _: True, room=Room(1)))
    tasks = await handed_in(batcher, [(f"b{i}", f"b{i}") for i in range(3)])
    assert model.calls == [["b0"], ["b1"], ["b2"]]
    model.free.set()
    await asyncio.gather(*tasks)


async def test_it_tells_how_late_work_begins_and_for_how_long_what_waits_is_due() -> None:
    model, begun = SlowModel(), list[tuple[object, float]]()
    batcher = Batcher("upper", model, max_size=1, on_begin=lambda owner, late_s: begun.append((owner, late_s)))
    first = await handed_in(batcher, [("a", "x")])
    second = [asyncio.create_task(batcher.submit("b", "y")), asyncio.create_task(batcher.submit("c", "z", 3600.0))]
    await everybody_had_a_turn()
    assert [owner for owner, _ in begun] == ["a"]
    waiting = batcher.overdue()
    # What has patience is not due yet.
    assert waiting.keys() == {"b", "c"}
    assert (waiting["b"] >= 0, waiting["c"]) == (True, 0)
    cancelled = await handed_in(batcher, [("d", "w")])
    cancelled[0].cancel()
    await everybody_had_a_turn()
    assert "d" not in batcher.overdue()
    model.free.set()
    await asyncio.gather(*first, *second)
    assert [owner for owner, _ in begun] == ["a", "b", "c"]
    assert begun[1][1] >= waiting["b"]
    assert begun[2][1] == 0
    assert batcher.overdue() == {}

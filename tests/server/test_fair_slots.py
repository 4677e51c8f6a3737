"""Places go to organizations in turns, and none takes all of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import UUID, uuid4

import pytest

from server.fair_slots import FairSlots

MANY, FEW = uuid4(), uuid4()


class Visits:
    """Work of organizations that stays in its place until it is let go."""

    def __init__(self, places: int) -> None:
        self.slots = FairSlots[UUID](places)
        self.inside: list[UUID] = []
        self._ends: dict[int, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def come(self, *organizations: UUID) -> None:
        for organization in organizations:
            self._tasks.append(asyncio.create_task(self._visit(organization, len(self._tasks))))
        await self.settle()

    async def _visit(self, organization: UUID, number: int) -> None:
        async with self.slots.place(organization):
            self._ends[number] = asyncio.Event()
            self.inside.append(organization)
            try:
                await self._ends[number].wait()
            finally:
                self.inside.remove(organization)

    async def go(self, number: int) -> None:
        self._ends[number].set()
        await self.settle()

    async def give_up(self, number: int) -> None:
        self._tasks[number].cancel()
        with suppress(asyncio.CancelledError):
            await self._tasks[number]
        await self.settle()

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


async def test_thirty_at_once_take_no_more_places_than_there_are_and_leave_one_to_others() -> None:
    visits = Visits(4)
    await visits.come(*[MANY] * 30)
    assert visits.inside == [MANY] * 3
    await visits.come(FEW)
    assert visits.inside == [MANY] * 3 + [FEW]


async def test_the_only_place_is_given_to_anybody() -> None:
    visits = Visits(1)
    await visits.come(MANY, MANY)
    assert visits.inside == [MANY]


async def test_organizations_take_turns_whoever_came_first() -> None:
    visits = Visits(2)
    other = uuid4()
    await visits.come(MANY, other, *[MANY] * 5, FEW, FEW)
    order = []
    # Of the first two, then of whoever came in their places.
    for number in (0, 2, 7, 3):
        before = list(visits.inside)
        await visits.go(number)
        before.remove(MANY if number != 7 else FEW)
        (came,) = [one for one in visits.inside if one not in before]
        order.append(came)
    assert order == [MANY, FEW, MANY, FEW]


async def test_whoever_gives_up_waiting_or_working_makes_room() -> None:
    visits = Visits(1)
    await visits.come(MANY, FEW, MANY)
    await visits.give_up(1)
    assert visits.inside == [MANY]
    await visits.give_up(0)
    assert visits.inside == [MANY]
    await visits.give_up(2)
    assert visits.inside == []
    await visits.come(FEW)
    assert visits.inside == [FEW]


async def test_a_place_that_is_given_to_whoever_gives_up_at_that_moment_is_not_lost() -> None:
    visits = Visits(1)
    await visits.come(MANY, FEW)
    visits._ends[0].set()
    await asyncio.sleep(0)
    await visits.give_up(1)
    await visits.come(FEW)
    assert visits.inside == [FEW]


async def test_places_of_callers_who_all_leave_at_once_are_free_again() -> None:
    # As when a connection with many calls breaks: who waits is cancelled, and has not run yet when a place gets free.
    visits = Visits(2)
    await visits.come(*[MANY] * 3, FEW, *[MANY] * 2)
    for number in (0, 2, 3, 4):
        visits._tasks[number].cancel()
    await visits.settle()
    assert visits.inside == [MANY]
    for number in (1, 5):
        visits._tasks[number].cancel()
    await visits.settle()
    assert visits.inside == []
    await visits.come(MANY, FEW)
    assert visits.inside == [MANY, FEW]


async def test_patience_ends() -> None:
    slots = FairSlots[UUID](1)
    async with slots.place(MANY):
        with pytest.raises(TimeoutError):
            async with slots.place(FEW, 0.01):
                pytest.fail("there was no place")
    async with slots.place(FEW, 0.01):
        pass


async def test_any_key_is_a_caller_none_as_well() -> None:
    slots = FairSlots[str | None](1)
    for caller in (None, "", "a"):
        async with slots.place(caller, patience_s=60):
            pass

"""Who is waited for before a process stops: load balancers alone, and not for ever."""

from __future__ import annotations

import asyncio

import pytest

from health.balancers import MAX_PEERS, PATIENCE_S, QUIET_S, Balancers


class Clock:
    """Time that passes while somebody sleeps, and what happens at its moments."""

    def __init__(self) -> None:
        self.now, self.calls = 100.0, [0.0]
        self.balancers = Balancers(lambda: self.now)
        self.told: list[tuple[float, str, bool]] = []

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self.told and self.told[0][0] <= self.now:
            _, peer, serving = self.told.pop(0)
            self.balancers.told(peer, serving)

    def last_call_at(self) -> float:
        return max(at for at in self.calls if at <= self.now)

    async def left_after(self) -> float:
        began = self.now
        await self.balancers.leave(self.last_call_at)
        return self.now - began


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    return clock


async def asks_every_second(clock: Clock, peer: str) -> None:
    for _ in range(3):
        clock.balancers.told(peer, True)
        await asyncio.sleep(1)


async def test_without_a_balancer_nothing_is_waited_for(clock: Clock) -> None:
    clock.balancers.told("a probe", True)
    assert await clock.left_after() == 0


async def test_one_who_asked_long_ago_is_not_waited_for(clock: Clock) -> None:
    await asks_every_second(clock, "balancer")
    clock.now += 60
    assert await clock.left_after() == 0


async def test_each_balancer_is_told_and_its_last_calls_are_waited_for(clock: Clock) -> None:
    await asks_every_second(clock, "balancer")
    clock.balancers.told("other", True)
    clock.balancers.told("other", True)
    began = clock.now
    clock.told = [(began + 0.4, "balancer", False), (began + 1, "other", False)]
    clock.calls += [began + 0.9, began + 1.2]
    assert await clock.left_after() == pytest.approx(1.2 + QUIET_S, abs=0.1)


async def test_a_balancer_that_asks_no_more_is_waited_for_a_bounded_time(clock: Clock) -> None:
    await asks_every_second(clock, "balancer")
    assert await clock.left_after() == pytest.approx(PATIENCE_S, abs=0.1)


async def test_one_who_knew_already_is_waited_for_no_longer_than_its_calls(clock: Clock) -> None:
    await asks_every_second(clock, "balancer")
    clock.balancers.told("balancer", False)
    assert await clock.left_after() == pytest.approx(QUIET_S, abs=0.1)


async def test_a_balancer_that_others_displace_is_waited_for_no_more(clock: Clock) -> None:
    await asks_every_second(clock, "balancer")
    clock.told = [(clock.now + 0.1, str(number), False) for number in range(2 * MAX_PEERS)]
    assert await clock.left_after() == pytest.approx(QUIET_S, abs=0.1)


async def test_many_who_ask_cost_a_bounded_memory(clock: Clock) -> None:
    for number in range(2 * MAX_PEERS):
        clock.balancers.told(str(number), True)
    assert len(clock.balancers._askers) == MAX_PEERS

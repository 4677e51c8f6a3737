"""How long a meeting is without anybody: senders, watchers and control count, and watchers alone not for ever."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from server.live import connection, event_log, presence
from server.live.connection import SenderSlot
from server.live.event_log import EventLog
from server.live.presence import WATCHED_S, Presence


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (connection, event_log, presence):
        monkeypatch.setattr(module, "time", made)
    return made


async def one() -> int:
    return 1


def of(slot: SenderSlot) -> tuple[Presence, EventLog]:
    events = EventLog(cast("Any", None), cast("Any", None), 0)
    return Presence(slot, events), events


async def called(slot: SenderSlot, clock: Clock) -> None:
    """A client of single calls, with its last call now."""
    sender = await slot.connect(one, False, False)
    sender.last_used_at = clock.now


async def test_the_last_of_sending_and_watching_counts(clock: Clock) -> None:
    slot, wake = SenderSlot(), asyncio.Event()
    present, events = of(slot)
    await called(slot, clock)
    events.listen(wake)
    clock.now += 500
    assert present.absent_s() == 0
    events.forget(wake)
    clock.now += 50
    assert present.absent_s() == 50
    slot.require(1).last_used_at = clock.now
    clock.now += 20
    assert present.absent_s() == 20


async def test_a_connected_stream_is_present_however_silent(clock: Clock) -> None:
    slot = SenderSlot()
    present, _ = of(slot)
    stream = await slot.connect(one, False, True)
    clock.now += 10**6
    assert present.absent_s() == 0
    slot.release(stream)
    clock.now += 7
    assert present.absent_s() == 7


async def test_watching_alone_does_not_keep_a_meeting_for_ever(clock: Clock) -> None:
    slot = SenderSlot()
    present, events = of(slot)
    await called(slot, clock)
    events.listen(asyncio.Event())
    clock.now += WATCHED_S - 1
    assert present.absent_s() == 0
    clock.now += 62
    assert present.absent_s() == 61
    assert present.attended()
    assert present.ending(90)
    assert not present.abandoned(90)
    clock.now += 30
    assert present.abandoned(90)


@pytest.mark.parametrize(("grace_s", "announced_after_s"), [(120, 90), (10, 5)], ids=["long", "short"])
async def test_an_end_is_announced_before_it_comes(clock: Clock, grace_s: float, announced_after_s: float) -> None:
    slot = SenderSlot()
    present, _ = of(slot)
    clock.now += announced_after_s
    slot._released_at = clock.now - announced_after_s
    assert not present.ending(grace_s)
    clock.now += 0.1
    assert present.ending(grace_s)
    assert not present.abandoned(grace_s)
    clock.now += grace_s - announced_after_s
    assert present.abandoned(grace_s)


async def test_who_watches_in_another_process_counts_as_well(clock: Clock) -> None:
    slot = SenderSlot()
    present, _ = of(slot)
    clock.now += 500
    assert present.absent_s() == 500
    present.watched_elsewhere(3)
    assert present.absent_s() == 0
    clock.now += 57
    assert present.absent_s() == 60
    clock.now += WATCHED_S
    present.watched_elsewhere(1)
    assert present.absent_s() == 557

"""Events of a live meeting: numbered without gaps, stored before anybody sees them, read from memory or store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from meetra.v1 import live_pb2 as pb

from server.live.event_log import MAX_RECENT_EVENTS, READ_LIMIT, EventLog, read_events
from server.storage import live
from server.storage.live import LiveRow, MeetingLost
from server.storage.pool import Database
from tests.server.storage.live_rows import opened, run, taken_up

MANY = MAX_RECENT_EVENTS + 2 * READ_LIMIT + 50


def warning(text: str) -> pb.LiveEvent:
    return pb.LiveEvent(warning=pb.Warning(text=text))


def log_of(database: Database, row: LiveRow, last: int = 0) -> EventLog:
    return EventLog(database, row, last)


def numbers(events: Sequence[pb.LiveEvent]) -> list[int]:
    return [event.event_seq for event in events]


async def all_after(events: EventLog, event_seq: int) -> list[pb.LiveEvent]:
    """Everything after a number, as a client reads it."""
    found: list[pb.LiveEvent] = []
    while more := await events.after(found[-1].event_seq if found else event_seq):
        found += more
    return found


async def test_events_are_numbered_in_the_order_they_come(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    events = log_of(database, row)
    assert await events.after(0) == []
    await events.append([warning("a"), warning("b")])
    await events.append([])
    await events.append([warning("c")])
    assert events.last_seq == 3
    assert [(e.event_seq, e.warning.text) for e in await events.after(0)] == [(1, "a"), (2, "b"), (3, "c")]
    assert numbers(await events.after(2)) == [3]
    assert await events.after(3) == []
    assert await events.after(99) == []
    assert await read_events(database, row, 0) == await events.after(0)


async def test_who_appends_at_once_shares_the_numbers(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    events = log_of(database, row)
    await asyncio.gather(*(events.append([warning(f"{n}a"), warning(f"{n}b")]) for n in range(10)))
    stored = await read_events(database, row, 0)
    assert numbers(stored) == list(range(1, 21))
    # What was appended together stays together.
    assert all(stored[i].warning.text[:-1] == stored[i + 1].warning.text[:-1] for i in range(0, 20, 2))


async def test_a_client_reads_the_same_from_memory_and_from_the_store(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    events = log_of(database, row)
    for start in range(0, MANY, 410):
        await events.append([warning(str(n)) for n in range(start, min(MANY, start + 410))])
    assert events.last_seq == MANY
    for seen in (
        0,
        1,
        READ_LIMIT,
        MANY - MAX_RECENT_EVENTS - 1,
        MANY - MAX_RECENT_EVENTS,
        MANY - MAX_RECENT_EVENTS + 1,
        MANY - 1,
    ):
        assert 1 <= len(await events.after(seen)) <= READ_LIMIT
        found = await all_after(events, seen)
        assert numbers(found) == list(range(seen + 1, MANY + 1))
        assert [event.warning.text for event in found] == [str(n) for n in range(seen, MANY)]


async def test_a_log_that_is_taken_up_goes_on_with_the_next_number(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    await log_of(database, row).append([warning("a"), warning("b")])
    events = log_of(database, await taken_up(database, row), last=2)
    assert numbers(await events.after(0)) == [1, 2]
    await events.append([warning("c")])
    assert numbers(await events.after(0)) == [1, 2, 3]
    assert numbers(await events.after(1)) == [2, 3]
    assert numbers(await events.after(2)) == [3]


async def test_a_log_that_was_lost_stores_and_shows_nothing_more(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    old = log_of(database, row)
    await old.append([warning("a")])
    new = log_of(database, await taken_up(database, row), last=1)
    wake = asyncio.Event()
    old.listen(wake)
    with pytest.raises(MeetingLost):
        await old.append([warning("void")])
    assert not wake.is_set()
    assert old.last_seq == 1
    assert numbers(await old.after(0)) == [1]
    await new.append([warning("b")])
    assert [event.warning.text for event in await read_events(database, row, 0)] == ["a", "b"]


async def test_listeners_are_woken_once_events_are_stored(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    events, first, second = log_of(database, row), asyncio.Event(), asyncio.Event()
    events.listen(first)
    events.listen(second)
    assert events.listeners == 2
    await events.append([])
    assert not first.is_set()
    appending = asyncio.create_task(events.append([warning("a")]))
    await first.wait()
    assert numbers(await read_events(database, row, 0)) == [1]
    await appending
    assert second.is_set()
    events.forget(second)
    second.clear()
    await events.append([warning("b")])
    assert not second.is_set()
    assert events.listeners == 1


async def test_the_turns_of_a_segment_are_known_by_it_when_the_meeting_is_over(
    owner: Database, database: Database
) -> None:
    row = await opened(owner, database)
    events = log_of(database, row)
    turns = [pb.LiveEvent(turn=pb.LiveTurn(segment_id=s, revision=r)) for s, r in ((0, 1), (5, 1), (0, 2), (5, 2))]
    await events.append([*turns, warning("a")])
    await run(database, row, lambda c: live.conclude(c, row.meeting_id, row.fence))
    # Whoever is connected gets everything; whoever comes later is told what is missing.
    assert [(e.event_seq, e.left_out) for e in await events.after(0)] == [(n, 0) for n in range(1, 6)]
    late = log_of(database, row, last=5)
    for seen, expected in ((0, [(3, 2), (4, 0), (5, 0)]), (1, [(3, 1), (4, 0), (5, 0)]), (3, [(4, 0), (5, 0)])):
        assert [(e.event_seq, e.left_out) for e in await late.after(seen)] == expected
    left = await read_events(database, row, 0)
    assert [(e.turn.segment_id, e.turn.revision) for e in left if e.HasField("turn")] == [(0, 2), (5, 2)]
    assert numbers(left) == [3, 4, 5]

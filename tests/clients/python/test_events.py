"""Events to one reader: each once and in order, however many are kept, and fetched where they were dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meetra.v1 import live_pb2

from meetra_client.errors import MeetraError
from meetra_client.events import EventFeed


def event(number: int) -> live_pb2.LiveEvent:
    return live_pb2.LiveEvent(event_seq=number)


class Stored:
    """All events of a server, and after which it was asked for more."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.asked: list[int] = []

    async def watch(self, after: int) -> AsyncGenerator[live_pb2.LiveEvent, None]:
        self.asked.append(after)
        for number in range(after + 1, self.most + 1):
            yield event(number)


@given(
    st.integers(0, 3),
    st.integers(1, 4),
    st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), max_size=30),
)
async def test_every_event_is_read_once_whenever_it_comes_and_however_often(
    seen: int, most: int, steps: list[tuple[bool, int]]
) -> None:
    stored = Stored(100)
    feed = EventFeed(seen, stored.watch, most)
    read: list[int] = []
    reading = feed.read()
    for reads, offset in steps:
        number = feed.received + offset
        if reads and feed.received > seen + len(read):
            read.append((await anext(reading)).event_seq)
        elif offset > 0:
            # Numbers have no gaps on one connection.
            for each in range(feed.received + 1, number + 1):
                assert feed.add(event(each))
        elif number > 0:
            assert not feed.add(event(number))
    feed.close()
    read += [each.event_seq async for each in reading]
    assert read == list(range(seen + 1, feed.received + 1))


async def test_what_was_dropped_is_fetched_from_where_the_reader_is() -> None:
    stored = Stored(6)
    feed = EventFeed(0, stored.watch, 2)
    for number in range(1, 7):
        assert feed.add(event(number))
    feed.close()
    assert [each.event_seq async for each in feed.read()] == [1, 2, 3, 4, 5, 6]
    assert stored.asked == [2]


async def test_what_was_seen_before_is_a_duplicate_and_counted() -> None:
    feed = EventFeed(5, Stored(5).watch)
    assert not feed.add(event(5))
    assert not feed.add(event(1))
    assert feed.add(event(6))
    assert (feed.repeated, feed.received) == (2, 6)


async def test_a_failure_comes_after_the_events_that_came_before_it() -> None:
    feed = EventFeed(0, Stored(0).watch)
    feed.add(event(1))
    feed.close(MeetraError("gone"))
    reading = feed.read()
    assert (await anext(reading)).event_seq == 1
    with pytest.raises(MeetraError, match="gone"):
        await anext(reading)


async def test_a_reader_waits_for_what_has_not_come() -> None:
    feed = EventFeed(0, Stored(0).watch)
    waiting = asyncio.create_task(anext(feed.read()))
    await asyncio.sleep(0)
    assert not waiting.done()
    feed.add(event(1))
    assert (await waiting).event_seq == 1


async def test_two_readers_at_once_are_one_too_many_and_one_after_another_are_not() -> None:
    feed = EventFeed(0, Stored(0).watch)
    feed.add(event(1))
    feed.add(event(2))
    first = feed.read()
    await anext(first)
    with pytest.raises(RuntimeError, match="this meeting's events are already being iterated"):
        await anext(feed.read())
    await first.aclose()
    assert (await anext(feed.read())).event_seq == 2

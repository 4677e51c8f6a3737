"""One client sends to a live meeting, until another takes over or it goes."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from server.errors import HeldByAnotherClient, HeldByAnotherServer, MeetraError, TakenOver
from server.live.connection import UNARY_TIMEOUT_S, SenderConnection, SenderSlot

numbers = count(1)


async def number() -> int:
    await asyncio.sleep(0)
    return next(numbers)


async def join(clients: SenderSlot, *, take_over: bool = False, streams: bool = True) -> SenderConnection:
    return await clients.connect(number, take_over, streams)


def long_ago(connection: SenderConnection) -> None:
    """As if the client had not called for longer than calls may be apart."""
    connection.last_used_at -= UNARY_TIMEOUT_S + 1


async def test_a_second_client_is_refused_while_the_first_is_connected() -> None:
    clients = SenderSlot()
    first = await join(clients)
    with pytest.raises(HeldByAnotherClient, match="take_over"):
        await join(clients)
    assert clients.current is first
    assert first.is_active
    clients.release(first)
    assert (await join(clients)).owner > first.owner


async def test_whoever_takes_over_ends_the_one_before() -> None:
    clients = SenderSlot()
    first = await join(clients)
    second = await join(clients, take_over=True)
    assert isinstance(first.failure, TakenOver)
    assert first.wake.is_set()
    assert not first.is_active
    assert clients.current is second
    assert second.failure is None
    # The one who was taken over goes late: the other stays.
    clients.release(first)
    assert clients.current is second


async def test_of_two_that_come_at_once_one_is_refused() -> None:
    clients = SenderSlot()
    came = await asyncio.gather(join(clients), join(clients), return_exceptions=True)
    assert [type(one) for one in came] == [SenderConnection, HeldByAnotherClient]


async def test_single_calls_need_the_owners_number() -> None:
    clients = SenderSlot()
    caller = await join(clients, streams=False)
    assert clients.require(caller.owner) is caller
    with pytest.raises(TakenOver):
        clients.require(caller.owner + 1)
    other = await join(clients, take_over=True, streams=False)
    with pytest.raises(TakenOver):
        clients.require(caller.owner)
    assert clients.require(other.owner) is other
    clients.release(other)
    with pytest.raises(TakenOver):
        clients.require(other.owner)


async def test_a_caller_who_is_silent_for_long_keeps_nobody_out() -> None:
    clients = SenderSlot()
    caller = await join(clients, streams=False)
    with pytest.raises(HeldByAnotherClient):
        await join(clients)
    long_ago(caller)
    assert not caller.is_active
    # It may go on calling as long as nobody else came.
    assert clients.require(caller.owner) is caller
    assert caller.is_active
    long_ago(caller)
    stream = await join(clients)
    assert clients.current is stream
    with pytest.raises(TakenOver):
        clients.require(caller.owner)


async def test_a_stream_is_connected_however_long_it_says_nothing() -> None:
    clients = SenderSlot()
    long_ago(await join(clients))
    assert clients.absent_s() == 0
    with pytest.raises(HeldByAnotherClient):
        await join(clients)


async def test_absence_counts_from_the_last_that_was_heard() -> None:
    clients = SenderSlot()
    assert clients.absent_s() > 0
    caller = await join(clients, streams=False)
    assert clients.absent_s() == 0
    long_ago(caller)
    assert clients.absent_s() > UNARY_TIMEOUT_S
    clients.release(caller)
    assert clients.absent_s() < UNARY_TIMEOUT_S


async def test_a_client_that_was_told_to_go_is_absent_from_then_on_not_from_its_beginning() -> None:
    clients = SenderSlot()
    long_ago(await join(clients))
    clients.end(HeldByAnotherServer())
    assert clients.absent_s() < UNARY_TIMEOUT_S


async def test_a_client_whose_number_cannot_be_had_is_not_connected() -> None:
    async def nothing() -> int:
        raise HeldByAnotherServer

    clients = SenderSlot()
    with pytest.raises(HeldByAnotherServer):
        await clients.connect(nothing, False, True)
    assert clients.current is None
    assert (await join(clients)).is_active


@pytest.mark.parametrize("failure", [HeldByAnotherServer(), TakenOver()])
async def test_the_end_of_a_meeting_is_told_to_whoever_is_connected(failure: MeetraError) -> None:
    clients = SenderSlot()
    clients.end(failure)
    client = await join(clients)
    clients.end(failure)
    assert client.failure is failure
    assert client.wake.is_set()

"""Several server processes: a live meeting is held by one of them, and goes to where its client comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.auth import Caller
from server.errors import HeldByAnotherServer, MeetraError, TakenOver
from server.live import FollowedMeeting, LiveSession, LiveState
from server.live.session_registry import LiveSessionRegistry
from server.storage.pool import Database
from tests.recordings import RATE_HZ
from tests.server.live.scripted_engine import scripted_engine
from tests.server.live.test_session import CONFIG, PATIENCE_S, caller_of, server_of


@asynccontextmanager
async def servers(
    owner: Database, database: Database, folder: Path
) -> AsyncIterator[tuple[LiveSessionRegistry, LiveSessionRegistry, Caller]]:
    """Two that run, and a caller."""
    async with (
        scripted_engine() as (_, address),
        server_of(database, folder, address) as first,
        server_of(database, folder, address) as second,
    ):
        supervising = [asyncio.create_task(registry.supervise()) for registry in (first, second)]
        yield first, second, await caller_of(owner)
        for task in supervising:
            task.cancel()
        await asyncio.gather(*supervising, return_exceptions=True)


async def found(registry: LiveSessionRegistry, meeting: LiveSession, caller: Caller, **client: object) -> LiveSession:
    """The meeting, once the other process has let go: as a client that comes again."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await registry.find(meeting.row.meeting_id, caller, **client)  # type: ignore[arg-type]
            except HeldByAnotherServer:
                await asyncio.sleep(0.05)


async def test_a_meeting_goes_to_the_server_that_its_client_comes_to(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with servers(owner, database, tmp_path) as (first, second, caller):
        meeting = await first.open(CONFIG, caller)
        await meeting.audio.append(meeting.audio.logs[0], b"ab" * RATE_HZ)
        await meeting.audio.wait_until_committed()
        moved = await found(second, meeting, caller)
        assert (meeting.lost, moved.audio.logs[0].committed) == (True, RATE_HZ)
        # Who only watches takes it from nobody.
        assert isinstance(await first.watch(meeting.row.meeting_id, caller), FollowedMeeting)
        back = await found(first, moved, caller)
        assert (moved.lost, back.state, back.row.fence) == (True, LiveState.OPEN, 3)


async def test_a_connected_client_keeps_its_meeting_until_it_is_replaced(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with servers(owner, database, tmp_path) as (first, second, caller):
        meeting = await first.open(CONFIG, caller)
        connection = await meeting.connect(take_over=False, streams=True)
        for owner_number in (None, connection.owner, connection.owner + 1):
            with pytest.raises(HeldByAnotherServer):
                await second.find(meeting.row.meeting_id, caller, owner=owner_number)
            await asyncio.sleep(0.5)
        assert meeting.sender_slot.is_current(connection)
        moved = await found(second, meeting, caller, take_over=True)
        # It is told that it was replaced, and does not come again by itself.
        failure: MeetraError | None = connection.failure
        assert isinstance(failure, TakenOver)
        assert (await moved.connect(take_over=True, streams=True)).owner == connection.owner + 1


async def test_a_client_of_single_calls_goes_on_wherever_its_calls_arrive(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with servers(owner, database, tmp_path) as (first, second, caller):
        meeting = await first.open(CONFIG, caller)
        number = (await meeting.connect(take_over=False, streams=False)).owner
        # Another one's number moves nothing.
        with pytest.raises(HeldByAnotherServer):
            await second.find(meeting.row.meeting_id, caller, owner=number + 1)
        moved = await found(second, meeting, caller, owner=number)
        assert moved.sender_slot.require(number).owner == number
        newer = await moved.connect(take_over=True, streams=True)
        assert isinstance(await second.find(meeting.row.meeting_id, caller, owner=number), LiveSession)
        with pytest.raises(TakenOver):
            moved.sender_slot.require(number)
        assert moved.sender_slot.is_current(newer)


async def test_a_server_that_stops_opens_no_meeting_and_lets_go_of_all(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with servers(owner, database, tmp_path) as (first, second, caller):
        meetings = [await first.open(CONFIG, caller) for _ in range(3)]
        connection = await meetings[0].connect(take_over=False, streams=True)
        await meetings[0].audio.append(meetings[0].audio.logs[0], b"ab" * RATE_HZ)
        await meetings[0].audio.wait_until_committed()
        await first.close()
        assert isinstance(connection.failure, HeldByAnotherServer)
        with pytest.raises(HeldByAnotherServer):
            await first.open(CONFIG, caller)
        # At once: nobody waits for a lease.
        moved = [await second.find(meeting.row.meeting_id, caller) for meeting in meetings]
        assert moved[0].audio.logs[0].committed == RATE_HZ
        count = await owner.run(lambda c: c.fetchval("SELECT count(*) FROM live_meetings"))
        assert count == 3

"""Watchers have their own pace: one that does not read delays nobody, and nothing is kept for it."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

import pytest
from meetra.v1 import live_pb2 as pb

from server.api.live_watch import watch_events
from server.errors import HeldByAnotherServer
from server.live import FollowedMeeting, followed_meeting
from server.live.event_log import EventLog
from server.storage import live
from server.storage.pool import Database
from tests.server.api.test_live_held import PATIENCE_S, bot_of, engine_and_api
from tests.server.live.scripted_engine import progress, turn
from tests.server.storage.live_rows import opened

EVENTS, EVENT_BYTES, BATCH = 5_000, 40_000, 100


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory from /proc")
async def test_what_a_watcher_does_not_read_takes_no_memory_and_delays_nobody(
    owner: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_meeting, "EVENTS_EVERY_S", 0.02)
    row = await opened(owner, database)
    holder = EventLog(database, row, 0)

    async def refused(_: object) -> None:
        raise HeldByAnotherServer

    followed = FollowedMeeting(database, row, 0, refused)
    following = asyncio.create_task(followed.follow())
    slow, seen = watch_events(followed, 0), asyncio.Event()

    async def read_all() -> int:
        read = 0
        async for answer in watch_events(followed, 0):
            read += answer.HasField("event")
            seen.set()
            if read == EVENTS:
                break
        return read

    fast = asyncio.create_task(read_all())
    async with asyncio.timeout(PATIENCE_S):
        # It has taken one message, a heartbeat, and stands there.
        await anext(slow)
        before = _resident_bytes()
        # Not turns: none replaces another.
        for _ in range(0, EVENTS, BATCH):
            seen.clear()
            batch = [pb.LiveEvent(finished=pb.LiveFinished(message="x" * EVENT_BYTES)) for _ in range(BATCH)]
            await holder.append(batch)
            await seen.wait()
        assert await fast == EVENTS
        # 200 MB came; two logs of 1000 recent events, holder's and follower's, are 80 MB of it, and the allocator keeps
        # some more. A third copy of all would be 280 MB.
        assert _resident_bytes() - before < 220_000_000
        # From its own place, and all of it.
        for number in range(1, EVENTS + 1):
            assert (await anext(slow)).event.event_seq == number
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert (
        await database.run(lambda c: live.last_event_seq(c, row.meeting_id), organization_id=row.organization_id)
        == EVENTS
    )


async def test_over_grpc_a_watcher_that_reads_nothing_gets_all_later_and_others_get_it_at_once(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    turns = 1_500
    async with engine_and_api(owner, database, tmp_path) as (engine, api):
        bot = await bot_of(api)
        ready = await bot.open()
        await bot.send(ready)
        session = await engine.session()
        request = pb.WatchMeetingRequest(session_id=ready.session_id)
        slow, fast = (bot.live.WatchMeeting(request, metadata=bot.metadata) for _ in range(2))
        for number in range(1, turns + 1):
            session.say(turn(number, number, number + 1, "word " * 100), progress(number, number, 0))

        async def read_all(watch: object) -> list[int]:
            numbers = []
            async for answer in watch:  # type: ignore[attr-defined]
                if answer.HasField("event"):
                    numbers.append(answer.event.event_seq)
                    if answer.event.turn.start_ms >= 1000 * turns:
                        return numbers
            raise AssertionError("it ended")

        async with asyncio.timeout(PATIENCE_S):
            quick = await read_all(fast)
            assert quick == list(range(1, len(quick) + 1))
            assert len(quick) >= turns
            assert await read_all(slow) == quick

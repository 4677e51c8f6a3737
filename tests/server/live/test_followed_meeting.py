"""Watching a meeting that another process holds: its events come, in order, and its end is told as what it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from meetra.inference.v2.session_pb2 import TURN_STATE_FINAL as FINAL
from meetra.v1 import live_pb2 as pb

from server.api.live_watch import watch_events
from server.auth import Caller
from server.errors import HeldByAnotherServer, SessionNotFound
from server.live import FollowedMeeting, LiveSession, followed_meeting, holder_reports
from server.live.session_registry import LiveSessionRegistry
from server.storage import meetings
from server.storage.pool import Database
from tests.recordings import RATE_HZ
from tests.server.live.scripted_engine import ScriptedEngine, progress, scripted_engine, turn
from tests.server.live.test_session import CONFIG, PATIENCE_S, caller_of, server_of, until


@asynccontextmanager
async def two_servers(
    owner: Database, database: Database, folder: Path
) -> AsyncIterator[tuple[ScriptedEngine, LiveSessionRegistry, LiveSessionRegistry, Caller]]:
    """Two processes on one machine, and a caller."""
    async with (
        scripted_engine() as (engine, address),
        server_of(database, folder, address) as holder,
        server_of(database, folder, address) as other,
    ):
        yield engine, holder, other, await caller_of(owner)


async def events_until(meeting: LiveSession | FollowedMeeting, last: str, after: int = 0) -> list[pb.LiveEvent]:
    """The events up to the first of this kind."""
    seen = []
    async with asyncio.timeout(PATIENCE_S):
        async for answer in watch_events(meeting, after):
            if answer.HasField("event"):
                seen.append(answer.event)
                if answer.event.WhichOneof("event") == last:
                    break
    return seen


async def test_events_come_from_another_process_than_the_holder_and_the_meeting_is_kept(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_meeting, "STATE_EVERY_S", 0.1)
    monkeypatch.setattr(holder_reports, "REPORT_EVERY_S", 0.0)
    async with two_servers(owner, database, tmp_path) as (engine, holder, other, caller):
        meeting = await holder.open(CONFIG, caller)
        supervising = [asyncio.create_task(registry.supervise()) for registry in (holder, other)]
        followed = await other.watch(meeting.row.meeting_id, caller)
        assert isinstance(followed, FollowedMeeting)
        assert await other.watch(meeting.row.meeting_id, caller) is followed
        watching = asyncio.create_task(events_until(followed, "finished"))
        await meeting.audio.append(meeting.audio.logs[0], bytes(2 * 10 * RATE_HZ))
        session = await engine.session()
        # In German, which needs no text models.
        said = turn(1, 0, 4, "guten Morgen zusammen", state=FINAL)
        said.language = "de"
        session.say(turn(1, 0, 4, "guten Morgen zusammen"), progress(6, 6, 5))

        async def watched_elsewhere() -> bool:
            return not meeting.presence.absent_s()

        # Nobody sends, and nobody watches at the holder.
        await until(watched_elsewhere)
        assert not meeting.events.listeners
        meeting.finish()
        await session.conclude(said, language="de", confidence=0.9)
        seen = await watching
        # What was replaced between two looks at the database is told as left out.
        before = 0
        for event in seen:
            assert event.event_seq == before + event.left_out + 1
            before = event.event_seq
        assert seen[-1].finished.status == "ready"
        turns = [event.turn for event in seen if event.HasField("turn")]
        assert turns[-1].state == pb.LIVE_TURN_STATE_FINAL
        assert " ".join(word.text for word in turns[-1].words) == "guten Morgen zusammen"

        async def let_go() -> bool:
            return not [task for task in asyncio.all_tasks() if task.get_name().startswith("follow ")]

        await until(let_go)
        # Whoever comes later is shown what is stored, by whichever process.
        late = await events_until(await other.watch(meeting.row.meeting_id, caller), "finished", before - 1)
        assert late == seen[-1:]
        for task in supervising:
            task.cancel()


async def test_a_deletion_is_told_to_watchers_of_other_processes(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_meeting, "STATE_EVERY_S", 0.1)
    async with two_servers(owner, database, tmp_path) as (_, holder, other, caller):
        meeting = await holder.open(CONFIG, caller)
        watching = asyncio.create_task(events_until(await other.watch(meeting.row.meeting_id, caller), "finished"))
        forget = partial(meetings.delete, organization_id=caller.organization_id, file_hash=meeting.row.file_hash)
        assert await database.run(forget, organization_id=caller.organization_id)
        with pytest.raises(SessionNotFound, match="deleted"):
            await watching


async def test_where_the_holder_is_gone_the_watchers_process_takes_the_meeting_up(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_meeting, "STATE_EVERY_S", 0.1)
    monkeypatch.setattr(followed_meeting, "HOLDER_GONE_S", 0.3)
    async with two_servers(owner, database, tmp_path) as (_, holder, other, caller):
        meeting = await holder.open(CONFIG, caller)
        followed = await other.watch(meeting.row.meeting_id, caller)
        watching = asyncio.create_task(events_until(followed, "finished"))
        # It does not report, and is there: its lease has not expired.
        await asyncio.sleep(1)
        assert not watching.done()
        await holder.close()
        with pytest.raises(HeldByAnotherServer):
            await watching
        assert isinstance(await other.watch(meeting.row.meeting_id, caller), LiveSession)


async def test_a_meeting_that_nobody_watches_any_more_is_no_longer_followed(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_meeting, "UNWATCHED_S", 0.2)
    async with two_servers(owner, database, tmp_path) as (_, holder, other, caller):
        meeting = await holder.open(CONFIG, caller)
        followed = await other.watch(meeting.row.meeting_id, caller)
        assert isinstance(followed, FollowedMeeting)

        async def ended() -> bool:
            return followed.lost

        await until(ended)
        assert await other.watch(meeting.row.meeting_id, caller) is not followed

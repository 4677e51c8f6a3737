"""A whole live meeting on a real database and a scripted engine: what is told and stored, through a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from meetra.v1 import live_pb2 as pb
from pydantic import SecretStr

from server.__main__ import meeting_analyzer
from server.audio import ObjectStore
from server.audio.audio_log import AudioLog
from server.auth import Caller
from server.config import ServerSettings
from server.live.config import LiveConfig
from server.live.dependencies import LiveDependencies
from server.live.event_log import read_events
from server.live.session_registry import LiveSessionRegistry
from server.live.track_keeper import TrackKeeper
from server.meetings.job_runner import JobRunner
from server.storage import LiveRow, meetings
from server.storage.meetings import MeetingState
from server.storage.pool import Database
from tests.recordings import RATE_HZ
from tests.server.callers import caller as fresh_caller
from tests.server.live.live_configs import PARTICIPANT, of_kinds
from tests.server.live.scripted_engine import progress, scripted_engine, turn
from tests.server.live.test_track_feed_catch_up import marks, told
from tests.server.storage.rows import make_user

PATIENCE_S = 300
CONFIG = replace(of_kinds(PARTICIPANT), language="", insights_period_s=5, key_terms=("Kubernetes",))


@asynccontextmanager
async def server_of(
    database: Database, folder: Path, engine: str, store: ObjectStore | None = None, **limits: Any
) -> AsyncIterator[LiveSessionRegistry]:
    """A server process that holds live meetings; ``store``: where it keeps recordings."""
    settings = ServerSettings(
        database_url=SecretStr("unused"),
        audio_dir=folder,
        inference_address=engine,
        audio_store="" if store is None else store.url,
        **limits,
    )
    audio_log = AudioLog(folder, store)
    async with meeting_analyzer(settings, database, audio_log) as analyzer:
        with ThreadPoolExecutor(1) as syncing:
            keeper = None if store is None else TrackKeeper(database, audio_log)
            runner = JobRunner(settings, database)
            parts = LiveDependencies(settings, database, audio_log, analyzer, runner, syncing, keeper)
            held = LiveSessionRegistry(parts)
            yield held
            await held.close()
            if keeper is not None:
                await keeper.close()


async def until(fulfilled: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await fulfilled():
            await asyncio.sleep(0.05)


async def caller_of(owner: Database, organization: str = "Acme", email: str = "somebody@example.org") -> Caller:
    return fresh_caller(await make_user(owner, organization, email))


async def test_language_and_final_words_are_told_once_and_kept_through_a_restart(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    caller = await caller_of(owner)

    async def events(row: LiveRow) -> list[pb.LiveEvent]:
        return await read_events(database, row, 0)

    async def state(file_hash: str) -> MeetingState:
        found = await database.run(
            lambda c: meetings.find_state(c, caller.organization_id, file_hash), organization_id=caller.organization_id
        )
        assert found is not None
        return found

    async with scripted_engine() as (engine, address):
        async with server_of(database, tmp_path, address) as held:
            meeting = await held.open(CONFIG, caller)
            row, file_hash = meeting.row, meeting.row.file_hash
            await meeting.audio.append(meeting.audio.logs[0], bytes(2 * 10 * RATE_HZ))
            session = await engine.session()
            assert list(session.config.key_terms) == ["P0", "Kubernetes"]
            assert (await state(file_hash)).language == ""
            said = turn(1, 0, 4, "guten Morgen zusammen")
            said.language = "de"
            session.say(said, progress(6, 6, 3, "de", 0.9))

            async def language_noted() -> bool:
                return (await state(file_hash)).language == "de"

            await until(language_noted)
            assert (await state(file_hash)).language_confidence == 0.9
            # Its words are not all final: neither is the turn.
            assert told(await events(row)) == [(1, "STABLE", "guten Morgen zusammen")]
            session.say(progress(7, 7, 5, "de", 0.9))

            async def final() -> bool:
                return marks(await events(row))[-1:] == [(5, 5)]

            await until(final)
        before = await events(row)
        assert told(before)[-1] == (1, "FINAL", "guten Morgen zusammen")
        async with server_of(database, tmp_path, address) as held:
            await held.find(row.meeting_id, caller)
            session = await engine.session()
            again = turn(1, 0, 4, "guten Morgan zu")
            again.language = "de"
            session.say(
                again, progress(7, 7, 0, "nl", 0.4), said, progress(7, 7, 5, "de", 0.9), progress(9, 9, 9, "de")
            )

            async def further() -> bool:
                return marks(await events(row))[-1:] == [(9, 9)]

            await until(further)
        after = (await events(row))[len(before) :]
        assert told(after) == []
        assert [event.language.language for event in [*before, *after] if event.HasField("language")] == ["de"]


def test_the_config_is_one_that_the_server_keeps() -> None:
    assert LiveConfig.from_document(CONFIG.to_document()) == CONFIG

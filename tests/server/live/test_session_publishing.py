"""What a live meeting publishes: all that is stored is told, and nothing after the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from meetra.v1 import live_pb2 as pb
from meetra.v1 import rules_pb2

from server.live import session
from server.live.alerts import MeetingAlerts
from server.live.clock_news import ClockNews
from server.live.event_log import read_events
from server.live.rolling_alerts import RollingAlerts
from server.live.rules import LiveRule, RuleKind
from server.live.speech_flow import SpeechFlow
from server.live.state import LiveState
from server.meetings import Corrections
from server.storage import DatabaseFull
from server.storage.pool import Database
from tests.recordings import RATE_HZ
from tests.server.live.live_configs import PARTICIPANT, of_kinds
from tests.server.live.scripted_engine import progress, scripted_engine, turn
from tests.server.live.test_session import CONFIG, caller_of, server_of, until

WITH_RULE = replace(of_kinds(PARTICIPANT), insights_period_s=5, rules=(LiveRule("s", RuleKind.SILENCE, 5),))


@asynccontextmanager
async def full_database(owner: Database, write: str) -> AsyncIterator[None]:
    """A database without room for a kind of write."""
    await owner.run(
        lambda c: c.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END$$;"
            f" CREATE TRIGGER full_disk BEFORE {write} EXECUTE FUNCTION full_disk()"
        )
    )
    yield
    await owner.run(lambda c: c.execute("DROP FUNCTION full_disk() CASCADE"))


async def test_nothing_follows_the_outcome(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await caller_of(owner)
    looking, go_on, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def look_for_long(*_: Any) -> list[pb.LiveEvent]:
        looking.set()
        await go_on.wait()
        asyncio.get_running_loop().call_later(0.5, over.set)
        return [pb.LiveEvent(alert=rules_pb2.LiveAlert(alert_id=1, rule_id="s"))]

    monkeypatch.setattr(RollingAlerts, "update", look_for_long)
    async with scripted_engine() as (engine, address), server_of(database, tmp_path, address) as held:
        meeting = await held.open(WITH_RULE, caller)
        await meeting.audio.append(meeting.audio.logs[0], bytes(2 * 2 * RATE_HZ))
        analysis = await engine.session()
        await looking.wait()
        meeting.finish()
        await analysis.conclude()

        async def concluded() -> bool:
            return meeting.state is LiveState.CONCLUDED

        await until(concluded)
        go_on.set()
        await over.wait()
        # Whoever still publishes, as the one who names a speaker, comes too late as well.
        await meeting._publish([pb.LiveEvent(warning=pb.Warning())])
        events = await read_events(database, meeting.row, 0)
        assert [event.WhichOneof("event") for event in events][-1] == "finished"
        assert not [event for event in events if event.HasField("alert")]


async def test_a_turn_that_could_not_be_stored_is_told_by_the_next_holder(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    caller = await caller_of(owner)
    async with scripted_engine() as (engine, address), server_of(database, tmp_path, address) as held:
        meeting = await held.open(CONFIG, caller)
        await meeting.audio.append(meeting.audio.logs[0], bytes(2 * 10 * RATE_HZ))
        analysis = await engine.session()
        said = (turn(1, 0, 4, "good morning"), progress(6, 6, 6))
        async with full_database(owner, "INSERT ON live_events FOR EACH ROW"):
            analysis.say(*said)

            async def lost() -> bool:
                return meeting.lost

            await until(lost)
        again = await held.find(meeting.row.meeting_id, caller)
        assert again is not meeting
        (await engine.session()).say(*said)

        async def is_told() -> bool:
            return any(event.HasField("turn") for event in await read_events(database, again.row, 0))

        await until(is_told)


async def test_a_change_of_a_name_that_could_not_be_told_is_told_by_the_next_holder(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    caller = await caller_of(owner)
    async with scripted_engine() as (_, address), server_of(database, tmp_path, address) as held:
        meeting = await held.open(CONFIG, caller)
        connection = await meeting.connect(take_over=False, streams=False)
        async with full_database(owner, "INSERT ON live_events FOR EACH ROW"):
            with pytest.raises(DatabaseFull):
                await meeting.changes.rename("t0", 0, "Zoe", connection)
        assert meeting.lost
        again = await held.find(meeting.row.meeting_id, caller)

        async def is_told() -> bool:
            events = await read_events(database, again.row, 0)
            return [event.track.track.participant_name for event in events if event.HasField("track")] == ["Zoe"]

        await until(is_told)


async def test_a_name_given_by_hand_is_shown_as_it_is_stored(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    caller = await caller_of(owner)
    async with scripted_engine() as (engine, address), server_of(database, tmp_path, address) as held:
        meeting = await held.open(CONFIG, caller)
        connection = await meeting.connect(take_over=False, streams=False)
        await meeting.audio.append(meeting.audio.logs[0], bytes(2 * 10 * RATE_HZ))
        (await engine.session()).say(turn(1, 0, 4, "good morning"), progress(6, 6, 6))

        async def names() -> list[str]:
            events = await read_events(database, meeting.row, 0)
            return [event.speaker_name.alias for event in events if event.HasField("speaker_name")]

        async def is_told() -> bool:
            return any(event.HasField("turn") for event in await read_events(database, meeting.row, 0))

        await until(is_told)
        corrections = Corrections(database, held.adopt_names)
        speaker = UUID(meeting.turns.speaker_id(1))
        await corrections.rename(caller, speaker, "Ann", None)

        async def is_named() -> bool:
            return await names() == ["Ann"]

        await until(is_named)

        async with meeting.tracks.changing:
            # It is stored now; before it is shown the track is renamed, and that is stored later.
            await corrections.rename(caller, speaker, "Annie", None)
            renaming = asyncio.create_task(meeting.changes.rename("t0", 0, "Zoe", connection))
            await owner.run(lambda c: c.execute("DELETE FROM speakers WHERE NOT active"))
        await renaming

        async def is_renamed() -> bool:
            return (await names())[-1:] == ["Zoe"]

        await until(is_renamed)
        assert meeting.turns.alias(1) == "Zoe"
        assert "Annie" not in await names()


async def test_an_outcome_that_could_not_be_stored_is_published_once_by_the_next_holder(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    caller = await caller_of(owner)
    async with scripted_engine() as (engine, address), server_of(database, tmp_path, address) as held:
        meeting = await held.open(CONFIG, caller)
        await meeting.audio.append(meeting.audio.logs[0], bytes(2 * 2 * RATE_HZ))
        analysis = await engine.session()
        # The last events are stored, and then it cannot be noted that they are.
        async with full_database(owner, "UPDATE ON live_meetings FOR EACH ROW WHEN (new.concluded)"):
            meeting.finish()
            await analysis.conclude()

            async def lost() -> bool:
                return meeting.lost

            await until(lost)
        again = await held.find(meeting.row.meeting_id, caller)

        async def concluded() -> bool:
            return again.state is LiveState.CONCLUDED

        await until(concluded)
        kinds = [event.WhichOneof("event") for event in await read_events(database, again.row, 0)]
        assert kinds.count("finished") == 1
        assert kinds[-1] == "finished"


async def test_nothing_is_told_after_an_outcome_that_could_not_be_stored(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, concluding, go_on = await caller_of(owner), asyncio.Event(), asyncio.Event()

    async def fail(*_: Any) -> None:
        concluding.set()
        await go_on.wait()
        raise DatabaseFull

    monkeypatch.setattr(session, "publish_outcome", fail)
    async with scripted_engine() as (engine, address), server_of(database, tmp_path, address) as held:
        meeting = await held.open(CONFIG, caller)
        await meeting.audio.append(meeting.audio.logs[0], bytes(2 * 2 * RATE_HZ))
        analysis = await engine.session()
        meeting.finish()
        await analysis.conclude()
        await concluding.wait()
        # It waits for the outcome, whose changes count as told.
        waiting = asyncio.create_task(meeting._publish([pb.LiveEvent(warning=pb.Warning(text="too late"))]))
        await asyncio.sleep(0)
        go_on.set()
        await waiting
        assert meeting.lost
        assert not [e for e in await read_events(database, meeting.row, 0) if e.warning.text == "too late"]


@pytest.mark.parametrize(
    ("of", "method"),
    [
        (SpeechFlow, "changes"),
        (MeetingAlerts, "follow"),
        (RollingAlerts, "update"),
        (ClockNews, "events"),
        (session, "listen"),
        (MeetingAlerts, "restore"),
        (SpeechFlow, "restore"),
    ],
    ids=["ends", "phrases", "measures", "clocks", "hearing", "stored_alerts", "stored_ends"],
)
async def test_a_feature_that_fails_leaves_the_meeting_as_it_is(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: Any, method: str
) -> None:
    caller, failed = await caller_of(owner), asyncio.Event()

    def fail(*_: Any) -> Any:
        failed.set()
        raise KeyError("of the feature")

    async with scripted_engine() as (engine, address):
        async with server_of(database, tmp_path, address) as held:
            meeting = await held.open(WITH_RULE, caller)
            await meeting.audio.append(meeting.audio.logs[0], bytes(2 * 10 * RATE_HZ))
            (await engine.session()).say(turn(1, 0, 4, "good morning"), progress(6, 6, 6))
            row = meeting.row

            async def turns_told() -> list[str]:
                return [event.turn.words[0].text for event in await read_events(database, row, 0) if event.turn.words]

            async def first_is_told() -> bool:
                return "good" in await turns_told()

            await until(first_is_told)
        monkeypatch.setattr(of, method, fail)
        async with server_of(database, tmp_path, address) as held:
            meeting = await held.find(row.meeting_id, caller)
            running = await engine.session()
            running.say(turn(1, 0, 4, "good morning"), progress(6, 6, 6))
            await failed.wait()
            running.say(turn(2, 5, 8, "welcome all"), progress(9, 9, 9))

            async def second_is_told() -> bool:
                return "welcome" in await turns_told()

            await until(second_is_told)
            assert not meeting.lost
            meeting.finish()
            await running.conclude(turn(1, 0, 4, "good morning"), turn(2, 5, 8, "welcome all"))

            async def concluded() -> bool:
                return meeting.state is LiveState.CONCLUDED

            await until(concluded)

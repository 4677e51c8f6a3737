"""The answers of a meeting that runs: as those of its end, of what is known so far, at a bounded cost."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from meetra.inference.v2 import session_pb2

from server.engine.inference_client import InferenceClient
from server.insights import BALANCE, FAMILIES, SHARES, TRANSCRIPT, Family, MeetingFacts
from server.live import partial_answers
from server.live.partial_answers import PartialAnswers
from server.live.session import LiveSession
from server.storage import live_names, meetings
from server.storage.pool import Database
from tests.recordings import RATE_HZ
from tests.server.live.live_configs import PARTICIPANT, of_kinds
from tests.server.live.scripted_engine import ScriptedEngine, Session, progress, scripted_engine, turn
from tests.server.live.test_session import caller_of, server_of, until

CONFIG = replace(of_kinds(PARTICIPANT, PARTICIPANT), language="")
FINAL = session_pb2.TURN_STATE_FINAL
AUDIO_S = 40
# (number, start, end, text): words that last whole milliseconds, as events tell them, and no model reads them.
SAID = (
    (1, 0, 9, "guten morgen zusammen wie geht es euch heute denn"),
    (1, 10, 19, "danke sehr gut und dir ich freue mich auf heute"),
    (2, 20, 30, "dann lasst uns mit der planung für den winter beginnen"),
    (2, 31, 40, "ja gerne ich habe dazu eine frage was kostet das"),
)


def spoken(track: int, state: session_pb2.TurnState.ValueType) -> list[session_pb2.Turn]:
    """The turns of a track: every second one is of the other."""
    turns = [turn(number, start, end, text, state=state) for number, start, end, text in SAID[track::2]]
    for one in turns:
        one.language = "de"
    return turns


async def two_tracks(meeting: LiveSession, engine: ScriptedEngine) -> list[Session]:
    """Sends all audio of both tracks; their sessions of the engine, in the order of the tracks."""
    sessions, noise = [], np.random.default_rng(1)
    for log in meeting.audio.logs:
        # Where all but one track are silent, overlap is not measured at the end.
        sound = noise.integers(-1000, 1000, AUDIO_S * RATE_HZ)
        await meeting.audio.append(log, sound.astype("<i2").tobytes())
        await meeting.audio.wait_until_committed()
        sessions.append(await engine.session())
    return sessions


def plain(document: Mapping[str, object]) -> Any:
    """A document as it is stored."""
    return json.loads(json.dumps(document))


async def test_the_last_answers_of_a_running_meeting_are_those_of_its_end(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_answers, "FRESH_S", 0.0)
    monkeypatch.setattr(partial_answers, "STALE_S", 0.0)
    caller = await caller_of(owner)
    async with (
        scripted_engine() as (engine, address),
        server_of(database, tmp_path, address) as held,
        server_of(database, tmp_path, address) as other,
    ):
        meeting = await held.open(CONFIG, caller)
        file_hash = meeting.row.file_hash
        # The process that holds the meeting, and one that does not.
        for registry in (held, other):
            nothing = await registry.partial_answers.get(caller.organization_id, file_hash, TRANSCRIPT)
            assert nothing is not None
            assert (nothing.value["entries"], nothing.through_ms, nothing.speakers) == ([], 0, ())
        sessions = await two_tracks(meeting, engine)
        for track, session in enumerate(sessions):
            session.say(*spoken(track, session_pb2.TURN_STATE_STABLE), progress(AUDIO_S, AUDIO_S, AUDIO_S, "de", 0.9))

        async def all_final() -> bool:
            known = await other.partial_answers.get(caller.organization_id, file_hash, TRANSCRIPT)
            return known is not None and known.words_final_through_ms == AUDIO_S * 1000

        await until(all_final)
        before: dict[str, dict[str, Any]] = {}
        for name, registry in {"holder": held, "other": other}.items():
            get = partial(registry.partial_answers.get, caller.organization_id, file_hash)
            answers = {family.name: await get(family) for family in FAMILIES}
            before[name] = {family: plain(answer.value) for family, answer in answers.items() if answer}
            share = answers[SHARES.name]
            assert share is not None
            assert [(row.label, row.alias, row.alias_source) for row in share.speakers] == [
                (1, "P0", "track"),
                (2, "P1", "track"),
            ]
            assert share.through_ms == AUDIO_S * 1000
        meeting.finish()
        for track, session in enumerate(sessions):
            await session.conclude(*spoken(track, FINAL), language="de", confidence=0.9)

        async def final(family: Family[Any]) -> meetings.MeetingAnswer:
            find = partial(meetings.find_answer, organization_id=caller.organization_id, file_hash=file_hash)
            found = await database.run(partial(find, family=family.name), organization_id=caller.organization_id)
            assert found is not None
            return found

        async def ready() -> bool:
            state = (await final(SHARES)).state
            assert state.status != "failed", state
            return state.status == "ready"

        await until(ready)
        for family in FAMILIES:
            stored = (await final(family)).value
            for process, answers_before in before.items():
                assert answers_before[family.name] == stored, (process, family.name)
        (first, *_) = before["other"][TRANSCRIPT.name]["entries"]
        assert first["text"] == SAID[0][3]
        assert before["other"][BALANCE.name]["score"] > 90


async def test_names_given_by_hand_show_at_once_and_nobody_else_s_meeting_answers(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_answers, "FRESH_S", 0.0)
    monkeypatch.setattr(partial_answers, "STALE_S", 0.0)
    caller, stranger = await caller_of(owner), await caller_of(owner, "Elsewhere", "b@example.org")
    async with scripted_engine() as (engine, address), server_of(database, tmp_path, address) as held:
        meeting = await held.open(CONFIG, caller)
        sessions = await two_tracks(meeting, engine)
        sessions[1].say(*spoken(1, session_pb2.TURN_STATE_STABLE), progress(AUDIO_S, AUDIO_S, 20, "de", 0.9))

        async def names() -> list[tuple[str, str]]:
            known = await held.partial_answers.get(caller.organization_id, meeting.row.file_hash, SHARES)
            assert known is not None
            return [(row.alias, row.alias_source) for row in known.speakers]

        async def told() -> bool:
            return await names() == [("P1", "track")]

        await until(told)
        given = live_names.LiveSpeaker(meeting.row.meeting_id, 2)
        await database.run(lambda c: live_names.give(c, given, "Ada"), organization_id=meeting.row.organization_id)
        assert await names() == [("Ada", "hand")]
        for wanted in (meeting.row.file_hash, "0" * 64):
            assert await held.partial_answers.get(stranger.organization_id, wanted, SHARES) is None


async def test_answers_of_one_state_are_computed_once_for_all_who_ask(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_answers, "FRESH_S", 3600.0)
    monkeypatch.setattr(partial_answers, "STALE_S", 3600.0)
    computed = []

    def compute(facts: MeetingFacts) -> dict[str, object]:
        computed.append(facts)
        return {}

    family: Family[dict[str, object]] = Family("counted", "1", compute)
    caller = await caller_of(owner)
    async with scripted_engine() as (engine, address), server_of(database, tmp_path, address) as held:
        meeting = await held.open(CONFIG, caller)
        get = partial(held.partial_answers.get, caller.organization_id, meeting.row.file_hash)
        await asyncio.gather(*(get(family) for _ in range(50)))
        await two_tracks(meeting, engine)
        await asyncio.gather(*(get(family) for _ in range(50)))
        assert len(computed) == 1
        monkeypatch.setattr(partial_answers, "STALE_S", 0.0)
        await get(family)
        assert len(computed) == 2


async def test_what_is_kept_is_bounded_and_a_meeting_that_was_let_go_answers_again(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_answers, "MAX_MEETINGS", 2)
    caller = await caller_of(owner)
    async with scripted_engine() as (_, address), server_of(database, tmp_path, address) as held:
        inference = InferenceClient(address)
        answers = PartialAnswers(database, inference)
        opened = [await held.open(CONFIG, caller) for _ in range(5)]
        for _ in range(2):
            for meeting in opened:
                assert await answers.get(caller.organization_id, meeting.row.file_hash, SHARES) is not None
                assert len(answers._meetings) <= 2
        monkeypatch.setattr(partial_answers, "KEPT_S", 0.0)
        answers._sweep()
        assert not answers._meetings
        await inference.close()


async def test_what_is_redacted_is_in_no_answer(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_answers, "FRESH_S", 0.0)
    monkeypatch.setattr(partial_answers, "STALE_S", 0.0)
    caller = await caller_of(owner)
    config = replace(of_kinds(PARTICIPANT), language="", redact="email,name")
    async with scripted_engine() as (engine, address), server_of(database, tmp_path, address) as held:
        meeting = await held.open(config, caller)
        (session,) = await two_tracks(meeting, engine)
        said = turn(1, 0, 9, "schreib an ada@example.org bitte was kostet das denn heute")
        session.say(said, progress(AUDIO_S, AUDIO_S, AUDIO_S, "de", 0.9))
        get = partial(held.partial_answers.get, caller.organization_id, meeting.row.file_hash)

        async def told() -> bool:
            known = await get(TRANSCRIPT)
            return known is not None and "[EMAIL]" in str(known.value)

        await until(told)
        for family in FAMILIES:
            known = await get(family)
            assert known is not None
            assert "ada@" not in str(known.value)
            # Nor is the participant's name, which the track has.
            assert [(row.alias, row.alias_source) for row in known.speakers] == [("Speaker 1", "number")]


async def test_who_goes_away_leaves_no_computation_behind_that_others_run_into(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    began, let_go = threading.Event(), threading.Event()
    running = 0

    def compute(facts: MeetingFacts) -> dict[str, object]:
        nonlocal running
        running += 1
        began.set()
        let_go.wait(300)
        seen: dict[str, object] = {"running": running}
        running -= 1
        return seen

    family: Family[dict[str, object]] = Family("slow", "1", compute)
    caller = await caller_of(owner)
    async with scripted_engine() as (_, address), server_of(database, tmp_path, address) as held:
        meeting = await held.open(CONFIG, caller)
        get = partial(held.partial_answers.get, caller.organization_id, meeting.row.file_hash)
        first = asyncio.create_task(get(family))
        await asyncio.to_thread(began.wait, 300)
        first.cancel()
        second = asyncio.create_task(get(family))
        await asyncio.sleep(0)
        let_go.set()
        known = await second
        assert known is not None
        assert known.value == {"running": 1}
        await asyncio.gather(first, return_exceptions=True)
        assert first.cancelled()

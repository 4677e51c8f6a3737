"""Segments and speakers of live meetings: every promise of live.proto, on the real system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from grpc import aio
from meetra.v1 import live_pb2 as pb
from meetra.v1 import live_pb2_grpc

from tests.e2e.conftest import Rest
from tests.e2e.live_bot import PLAIN, Bot, connected, participant, speech
from tests.e2e.segment_promises import FINAL, NIL, RETRACTED, STABLE, SegmentPromises

STATUS, SPEAKERS = "/single-feature-api/meeting/status", "/api/meeting/speakers"


def checked(bot: Bot, promises: SegmentPromises | None = None) -> SegmentPromises:
    """What was promised, of all events that a bot received."""
    promises = promises or SegmentPromises()
    for event in bot.events:
        promises.add(event)
    return promises


def heard(bot: Bot, position: int) -> bool:
    """Whether the audio before a position is acknowledged."""
    return bot.committed() >= position


def names_of(rest: Rest, file_hash: str) -> dict[str, str]:
    return {s["id"]: s["alias"] for s in rest.get(SPEAKERS, file_hash=file_hash).json()["speakers"]}


def rename(rest: Rest, id_: str, alias: str, file_hash: str) -> Any:
    return rest.http.put(f"{SPEAKERS}/{id_}", params={"file-hash": file_hash}, json={"alias": alias})


@asynccontextmanager
async def watched(rest: Rest, session_id: str, after_event_seq: int) -> AsyncIterator[list[pb.LiveEvent]]:
    """All events of a meeting that has ended, as somebody reads them who comes late."""
    request = pb.WatchMeetingRequest(session_id=session_id, after_event_seq=after_event_seq)
    async with aio.insecure_channel(urlsplit(rest.gateway).netloc) as channel:
        call = live_pb2_grpc.LiveServiceStub(channel).WatchMeeting(
            request, metadata=(("authorization", f"Bearer {rest.token}"),)
        )
        yield [response.event async for response in call]


async def test_every_promise_of_segments_is_kept_to_the_end_and_after_it(rest: Rest) -> None:
    async with connected(rest) as bot:
        ready = await bot.open(PLAIN)
        position = 0
        for start_s in range(0, 60, 6):  # in pieces, so that what is said changes meanwhile
            position = await bot.audio(speech(6, start_s), position)
            await bot.until(partial(heard, bot, position))
        await bot.until(lambda: sum(t.state == STABLE for t in bot.of("turn")) >= 5)
        finished = await bot.finish()
    promises = checked(bot)
    promises.check_names(names_of(rest, finished.file_hash))
    assert promises.broken == []
    assert promises.finished
    assert all(event.left_out == 0 for event in bot.events)
    # Who reads after the end gets the same state, however much was seen before.
    final = {id_: turn for id_, turn in promises.segments.items() if turn.state == FINAL}
    for seen in (0, len(bot.events) // 2):
        deadline = asyncio.get_running_loop().time() + 120
        while True:  # this process holds all events until it lets go of the meeting
            async with watched(rest, ready.session_id, seen) as events:
                late = SegmentPromises(after_event_seq=seen)
                for event in events:
                    late.add(event)
            # Retractions and speaker revisions tell of turns that may no longer be there.
            excused = ("RETRACTED", "a speaker revision takes")
            assert [what for what in late.broken if not any(words in what for words in excused)] == []
            assert {id_: turn for id_, turn in late.segments.items() if turn.state != RETRACTED} == final
            if any(event.left_out for event in events):
                break
            assert asyncio.get_running_loop().time() < deadline, "the log was never compacted"
            await asyncio.sleep(0.5)


async def test_who_speaks_is_said_while_the_meeting_runs_and_stays_said(rest: Rest) -> None:
    async with connected(rest) as bot:
        ready = await bot.open(PLAIN)
        position = await bot.audio(speech(20))
        await bot.until(lambda: any(t.state == STABLE and t.speaker_id != NIL for t in bot.of("turn")))
        known = next(t for t in bot.of("turn") if t.state == STABLE and t.speaker_id != NIL)
        unknown = "12345678-1234-5678-1234-567812345678"
        assert rename(rest, unknown, "Nobody", ready.file_hash).status_code == 404
        assert rename(rest, known.speaker_id, "", ready.file_hash).status_code == 400
        answer = rename(rest, known.speaker_id, "Ann Example", ready.file_hash)
        assert (answer.status_code, answer.json()["alias"]) == (200, "Ann Example")
        await bot.audio(speech(10, 20), position)
        await bot.until(lambda: any(t.alias == "Ann Example" for t in bot.of("turn")))
        finished = await bot.finish()
    promises = checked(bot)
    names = names_of(rest, finished.file_hash)
    promises.check_names(names)
    assert promises.broken == []
    assert list(names.values()).count("Ann Example") == 1
    # It is the name of who said what the named speaker had said.
    middle_ms = (known.start_ms + known.end_ms) // 2
    same = [t for t in promises.segments.values() if t.state == FINAL and t.start_ms <= middle_ms <= t.end_ms]
    assert "Ann Example" in {turn.alias for turn in same}


async def test_a_stranger_names_nobody_in_a_running_meeting(rest: Rest, stranger: Rest) -> None:
    async with connected(rest) as bot:
        ready = await bot.open(pb.LiveConfig(tracks=[participant("p", "Ada")]))
        await bot.audio(speech(6), track_id="p")
        await bot.until(lambda: bool(bot.of("turn")))
        id_ = bot.of("turn")[0].speaker_id
        for params in ({}, {"file-hash": ready.file_hash}):
            refused = stranger.http.put(f"{SPEAKERS}/{id_}", params=params, json={"alias": "Eve"})
            assert refused.status_code == 404
        assert stranger.http.put(f"{SPEAKERS}/{id_}", json={"alias": "Eve"}).status_code == 404
        assert rest.http.put(f"{SPEAKERS}/{id_}", json={"alias": "Ada Example"}).status_code == 200
        finished = await bot.finish()
    assert list(names_of(rest, finished.file_hash).values()) == ["Ada Example"]
    assert checked(bot).names[id_] == "Ada Example"


async def test_the_status_moves_while_a_meeting_is_finished(rest: Rest) -> None:
    async with connected(rest) as bot:
        ready = await bot.open(PLAIN)
        await bot.audio(speech(45))
        await bot.control(pb.CONTROL_FINISH)
        reading = asyncio.create_task(bot.rest())
        seen = []
        while not reading.done():
            state = (await asyncio.to_thread(rest.get, STATUS, file_hash=ready.file_hash)).json()
            seen.append((state["stage"], state["progress_percent"], state["message"]))
            await asyncio.sleep(0.05)
        await reading
    percents = [percent for _, percent, _ in seen]
    assert percents == sorted(percents)
    assert any(stage == "analysing" and "of 45 s" in message for stage, _, message in seen), seen

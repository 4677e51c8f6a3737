"""Tracks of a running meeting: who leaves is final, and holds nobody back."""

from __future__ import annotations

import asyncio
from pathlib import Path

from google.api import httpbody_pb2
from meetra.inference.v2 import session_pb2
from meetra.v1 import live_pb2 as pb

from server.storage.pool import Database
from tests.server.api.conftest import running_api
from tests.server.live.scripted_engine import progress, scripted_engine, turn
from tests.server.live.test_track_changes import (
    ENDED,
    PATIENCE_S,
    bot_of,
    changes,
    engine_and_api,
    of,
    refused,
    track,
)
from tests.server.live.test_track_feed_pauses import HEADER


async def test_who_leaves_is_final_and_holds_nobody_back(owner: Database, database: Database, tmp_path: Path) -> None:
    async with engine_and_api(owner, database, tmp_path) as (engine, api):
        bot = await bot_of(api)
        await bot.open(track("a", "Ada"), track("room", "Room Berlin", pb.TRACK_KIND_MIXED))
        await bot.send("room", 3)
        room = await engine.session()
        await bot.send("a", 8)
        ada = await engine.session()
        ada.say(turn(1, 0, 4, "I go on"), progress(8, 8, 8))
        assert (await bot.control(end_track=pb.EndTrack(track_id="room"))).ended
        assert (await bot.control(end_track=pb.EndTrack(track_id="room"))).ended
        # What is known already is ignored as ever; more is refused.
        await bot.send("room", 3)
        reason, text = await refused(bot.send("room", 1, 3))
        assert "TRACK_ENDED" in reason
        assert "track room has ended" in text
        last = turn(1, 1, 2, "good bye")
        last.state = session_pb2.TURN_STATE_FINAL
        await room.conclude(last)
        events = await bot.events(lambda seen: any(w.final_through_ms >= 8000 for w in of("watermark", seen)))
        by_track = {said.track_id: said for said in of("turn", events)}
        assert by_track["room"].state == by_track["a"].state == pb.LIVE_TURN_STATE_FINAL
        assert by_track["room"].alias == "Room Berlin 1"
        assert changes(events) == [(ENDED, "room", "Room Berlin")]
        # Its place at the engine is free.
        await asyncio.wait_for(room.gone.wait(), PATIENCE_S)


async def test_who_comes_later_and_has_sent_nothing_is_no_part_of_what_insights_are_of(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path) as (engine, api):
        bot = await bot_of(api)
        await bot.open(track("a", "Ada"), track("b", "Bob", start_ms=600_000), insights_period_s=10)
        await bot.send("a", 8)
        ada = await engine.session()
        ada.say(turn(1, 0, 7, "we begin"), progress(8, 8, 8))
        await bot.events(lambda seen: bool(of("turn", seen)))
        await bot.send("a", 8, 8)
        ada.say(progress(16, 16, 16))
        events = await bot.events(lambda seen: bool(of("insights", seen)))
        assert 10_000 <= of("insights", events)[0].through_ms <= 16_000


async def test_who_joins_begins_where_the_meeting_is_although_its_audio_is_not_decoded_again_yet(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with scripted_engine() as (engine, address):
        async with running_api(owner, database, tmp_path, inference_address=address) as api:
            bot = await bot_of(api)
            webm = pb.AUDIO_ENCODING_WEBM_OPUS
            ready = await bot.open(track("a", "Ada", encoding=webm, sample_rate_hz=48_000))
            request = pb.SendAudioRequest(session_id=ready.session_id, owner=ready.owner, track_id="a")
            request.body.CopyFrom(httpbody_pb2.HttpBody(data=HEADER))
            await bot.live.SendAudio(request, metadata=bot.metadata)
            # What the engine has heard already; nothing of it can be decoded.
            (await engine.session()).say(turn(1, 0, 7, "we go on"), progress(8, 8, 8))
            await bot.events(lambda seen: any(w.words_final_through_ms == 8000 for w in of("watermark", seen)))
        async with running_api(owner, database, tmp_path, inference_address=address) as api:
            bot = await bot_of(api)
            await bot.open(session_id=ready.session_id, take_over=True)
            assert (await bot.control(add_track=track("b", "Ben"))).start_ms == 8000

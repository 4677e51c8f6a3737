"""Instructions for the tracks of a live meeting: what is wrong is named, and in a stream they come in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from grpc import aio
from meetra.v1 import live_pb2 as pb

from server.storage.pool import Database
from tests.server.live.test_track_changes import (
    PATIENCE_S,
    RENAMED,
    bot_of,
    engine_and_api,
    refused,
    track,
)

HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "ends an unknown track": ({"end_track": pb.EndTrack(track_id="x")}, "end_track.track_id"),
    "renames an unknown track": ({"rename_track": pb.RenameTrack(track_id="x")}, "rename_track.track_id"),
    "renames a channel that is none": ({"rename_track": pb.RenameTrack(track_id="a", channel=1)}, "omit it"),
    "renames no channel of channels": ({"rename_track": pb.RenameTrack(track_id="call")}, "must be 1 to 2"),
    "renames a third channel of two": ({"rename_track": pb.RenameTrack(track_id="call", channel=3)}, "must be 1 to 2"),
    "adds a track without a name": ({"add_track": track("")}, "add_track.track_id"),
    "adds a track of no kind": ({"add_track": track("b", kind=pb.TRACK_KIND_UNSPECIFIED)}, "add_track.kind"),
    "adds a track before the meeting": ({"add_track": track("b", start_ms=-1)}, "add_track.start_ms"),
    "two instructions": ({"end_track": pb.EndTrack(track_id="a"), "action": pb.CONTROL_FLUSH}, "not several"),
    "no instruction": ({}, "CONTROL_FLUSH"),
}


async def test_what_is_wrong_is_named_and_changes_nothing(owner: Database, database: Database, tmp_path: Path) -> None:
    async with engine_and_api(owner, database, tmp_path) as (_, api):
        bot = await bot_of(api)
        ready = await bot.open(
            track("a", "Ada"), track("call", channels=2, channel_use=pb.CHANNEL_USE_SEPARATE, channel_names=["B", "C"])
        )
        for what, (instruction, text) in HOSTILE.items():
            reason, said = await refused(bot.control(**instruction))
            assert "BAD_REQUEST" in reason, what
            assert text in said, what
        # A name is whatever people write, without what is no text.
        renamed = await bot.control(rename_track=pb.RenameTrack(track_id="a", participant_name="\u202e" + "x" * 999))
        assert renamed.participant_name == "x" * 200
        await bot.control(action=pb.CONTROL_FINISH)
        for name in ("add_track", "end_track", "rename_track"):
            given = {"add_track": track("b"), "end_track": pb.EndTrack(track_id="a")}
            reason, _ = await refused(bot.control(**{name: given.get(name, pb.RenameTrack(track_id="a"))}))
            assert "MEETING_OVER" in reason
        again = await bot.open(session_id=ready.session_id, take_over=True)
        assert [state.track_id for state in again.track_states] == ["a", "call"]
        assert not any(state.ended for state in again.track_states)


async def test_in_a_stream_audio_may_follow_at_once(owner: Database, database: Database, tmp_path: Path) -> None:
    async with engine_and_api(owner, database, tmp_path) as (_, api):
        bot = await bot_of(api)
        call: Any = bot.live.StreamMeeting(metadata=bot.metadata)

        async def until(fulfilled: Callable[[pb.StreamMeetingResponse], bool]) -> pb.StreamMeetingResponse:
            async with asyncio.timeout(PATIENCE_S):
                answer: pb.StreamMeetingResponse = await call.read()
                while not fulfilled(answer):
                    answer = await call.read()
            return answer

        await call.write(pb.StreamMeetingRequest(config=pb.LiveConfig(tracks=[track("a", "Ada")])))
        await call.write(pb.StreamMeetingRequest(add_track=track("b", "Ben")))
        chunk = pb.AudioChunk(track_id="b", data=bytes(3200))
        await call.write(pb.StreamMeetingRequest(audio=chunk))
        await until(lambda answer: answer.event.track.track.track_id == "b")
        await until(lambda answer: any((p.track_id, p.next_sample) == ("b", 1600) for p in answer.ack.tracks))
        await call.write(pb.StreamMeetingRequest(rename_track=pb.RenameTrack(track_id="b", participant_name="Bo")))
        await until(lambda answer: answer.event.track.change == RENAMED)
        await call.write(pb.StreamMeetingRequest(end_track=pb.EndTrack(track_id="b")))
        await until(lambda answer: answer.event.track.track.ended)
        chunk.first_sample = 1600
        await call.write(pb.StreamMeetingRequest(audio=chunk))
        with pytest.raises(aio.AioRpcError) as raised:
            await until(lambda answer: False)
        assert "TRACK_ENDED" in str(raised.value.trailing_metadata())

"""Finding running meetings, and watching them by `file-hash`: over real gRPC, of one organization, by any process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio
from meetra.v1 import live_pb2 as pb

from server.live import holder_reports
from server.storage.pool import Database
from tests.recordings import RATE_HZ
from tests.server.api.conftest import running_api
from tests.server.api.test_live_held import PATIENCE_S, Bot, bot_of, engine_and_api, read_to_the_end


def participant(track_id: str, name: str) -> pb.TrackConfig:
    return pb.TrackConfig(
        track_id=track_id,
        kind=pb.TRACK_KIND_PARTICIPANT,
        participant_name=name,
        encoding=pb.AUDIO_ENCODING_PCM_S16LE,
        sample_rate_hz=RATE_HZ,
    )


def call(track_id: str, *names: str) -> pb.TrackConfig:
    """Each channel a participant."""
    track = participant(track_id, "")
    track.channel_names.extend(names)
    track.channels, track.channel_use = len(names), pb.CHANNEL_USE_SEPARATE
    return track


async def opened(bot: Bot, tracks: Sequence[pb.TrackConfig], **config: Any) -> pb.LiveReady:
    request = pb.OpenMeetingRequest(config=pb.LiveConfig(tracks=tracks, **config))
    answer = await bot.live.OpenMeeting(request, metadata=bot.metadata)
    return answer.ready


async def listed(bot: Bot, size: int = 0, token: str = "") -> pb.ListLiveMeetingsResponse:
    request = pb.ListLiveMeetingsRequest(page_size=size, page_token=token)
    return await bot.live.ListLiveMeetings(request, metadata=bot.metadata)


async def told_by(bot: Bot, request: pb.WatchMeetingRequest) -> grpc.StatusCode:
    with pytest.raises(aio.AioRpcError) as raised:
        await read_to_the_end(bot.live.WatchMeeting(request, metadata=bot.metadata))
    return raised.value.code()


async def test_running_meetings_are_listed_by_any_process_with_what_their_holder_reports(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holder_reports, "REPORT_EVERY_S", 0.0)
    async with (
        engine_and_api(owner, database, tmp_path) as (_, api),
        running_api(owner, database, tmp_path) as second,
    ):
        bot, beside, stranger = await bot_of(api), await bot_of(second), await bot_of(api, "Elsewhere")
        ready = await opened(
            bot, [participant("t0", "Ada"), call("line", "Ben", "")], name="Standup", date="2026-11-29"
        )
        await bot.send(ready)
        async with asyncio.timeout(PATIENCE_S):
            while not (await listed(beside)).meetings[0].tracks[0].HasField("last_audio_at"):
                await asyncio.sleep(0.05)
        (meeting,) = (await listed(beside)).meetings
        assert (meeting.session_id, meeting.file_hash) == (ready.session_id, ready.file_hash)
        assert (meeting.name, meeting.date, meeting.state) == ("Standup", "2026-11-29", "open")
        assert meeting.running_ms > 0
        alone, line = meeting.tracks
        ada, call_line = alone.track, line.track
        assert (ada.track_id, ada.kind, ada.participant_name) == (
            "t0",
            pb.TRACK_KIND_PARTICIPANT,
            "Ada",
        )
        assert (alone.next_sample, list(ada.channel_names)) == (RATE_HZ, [])
        assert (call_line.track_id, call_line.participant_name, list(call_line.channel_names)) == (
            "line",
            "",
            ["Ben", ""],
        )
        assert not line.HasField("last_audio_at")
        assert meeting.client_connected
        # The engine has said nothing yet.
        assert meeting.lag_ms == 1000
        assert meeting.report_age_ms >= 0
        assert not (await listed(stranger)).meetings
        theirs = await opened(stranger, [participant("t0", "Eve")])
        assert [meeting.file_hash for meeting in (await listed(stranger)).meetings] == [theirs.file_hash]
        assert [meeting.file_hash for meeting in (await listed(bot)).meetings] == [ready.file_hash]


async def test_pages_follow_each_other_and_what_no_page_gave_is_refused(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path) as (_, api):
        bot = await bot_of(api)
        hashes = [(await bot.open()).file_hash for _ in range(5)]
        seen, token = list[str](), ""
        for expected in (2, 2, 1):
            page = await listed(bot, 2, token)
            assert len(page.meetings) == expected
            seen += [meeting.file_hash for meeting in page.meetings]
            token = page.next_page_token
        assert (seen, token) == (hashes[::-1], "")
        for size, wrong in ((-1, ""), (1001, ""), (0, "nonsense")):
            with pytest.raises(aio.AioRpcError) as raised:
                await listed(bot, size, wrong)
            assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_names_that_are_redacted_are_not_listed(owner: Database, database: Database, tmp_path: Path) -> None:
    async with engine_and_api(owner, database, tmp_path) as (_, api):
        bot = await bot_of(api)
        tracks = [participant("t0", "Ada Byron"), call("line", "Ben Cole", "Ada Byron")]
        await opened(bot, tracks, redact="name", name="Talk with Ada Byron")
        answer = await listed(bot)
        assert "Ada" not in str(answer)
        assert "Ben" not in str(answer)
        assert answer.meetings[0].tracks[1].track.channel_names == ["", ""]


async def test_a_meeting_is_watched_by_its_hash_from_any_process_and_by_nobody_else(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with (
        engine_and_api(owner, database, tmp_path) as (engine, api),
        running_api(owner, database, tmp_path) as second,
    ):
        bot, beside, stranger = await bot_of(api), await bot_of(second), await bot_of(api, "Elsewhere")
        ready = await bot.open()
        await bot.send(ready)
        session = await engine.session()
        by_hash = pb.WatchMeetingRequest(file_hash=ready.file_hash.upper())
        watches = [one.live.WatchMeeting(by_hash, metadata=one.metadata) for one in (bot, beside)]
        request = pb.ControlMeetingRequest(
            session_id=ready.session_id, owner=ready.owner, control=pb.ControlMessage(action=pb.CONTROL_FINISH)
        )
        await bot.live.ControlMeeting(request, metadata=bot.metadata)
        await session.conclude()
        async with asyncio.timeout(PATIENCE_S):
            for watch in watches:
                events = [answer.event async for answer in watch if answer.HasField("event")]
                assert [event.event_seq for event in events] == list(range(1, len(events) + 1))
                assert events[-1].finished.file_hash == ready.file_hash
        for one in (bot, beside, stranger):
            unknown = pb.WatchMeetingRequest(file_hash="0" * 64)
            assert await told_by(one, unknown) is grpc.StatusCode.NOT_FOUND
        assert await told_by(stranger, by_hash) is grpc.StatusCode.NOT_FOUND
        for wrong in (
            pb.WatchMeetingRequest(),
            pb.WatchMeetingRequest(file_hash="abc"),
            pb.WatchMeetingRequest(file_hash=ready.file_hash, session_id=ready.session_id),
        ):
            assert await told_by(bot, wrong) is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_audit_log_names_the_meeting_that_is_watched_by_its_hash(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path) as (_, api):
        bot = await bot_of(api)
        ready = await bot.open()
        request = pb.WatchMeetingRequest(file_hash=ready.file_hash)
        watch = bot.live.WatchMeeting(request, metadata=bot.metadata)
        async with asyncio.timeout(PATIENCE_S):
            await watch.read()
        watch.cancel()
    # It is complete once the server has stopped.
    rows = await owner.run(
        lambda c: c.fetch("SELECT object_kind, object_id FROM audit_events WHERE method = 'LiveService/WatchMeeting'")
    )
    assert [tuple(row) for row in rows] == [("meeting", ready.file_hash)]

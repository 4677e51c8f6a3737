"""What a live meeting holds, and for how long: callers who open many, and fall silent, keep nothing from the others.

Clients of single calls are those of plain HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api import httpbody_pb2
from grpc import aio
from meetra.inference.v2 import session_pb2
from meetra.v1 import live_pb2 as pb
from meetra.v1 import live_pb2_grpc, meetings_pb2, meetings_pb2_grpc

from monitoring import MemoryReserve
from server.engine import load_watch
from server.live import MAX_TRACKS
from server.storage import meetings
from server.storage.pool import Database
from tests.recordings import RATE_HZ
from tests.server.api.conftest import Api, running_api
from tests.server.live.scripted_engine import ScriptedEngine, scripted_engine

PATIENCE_S = 300
EMAILS = {"Org": "a@example.org", "Elsewhere": "b@example.org"}


class Bot:
    """Single calls of one user."""

    def __init__(self, api: Api, token: str) -> None:
        self.live = live_pb2_grpc.LiveServiceStub(api.channel)
        self.meetings = meetings_pb2_grpc.MeetingServiceStub(api.channel)
        self.metadata = (("authorization", f"Bearer {token}"),)

    async def open(self, tracks: int = 1) -> pb.LiveReady:
        config = pb.LiveConfig(
            tracks=[
                pb.TrackConfig(
                    track_id=f"t{place}",
                    kind=pb.TRACK_KIND_PARTICIPANT,
                    encoding=pb.AUDIO_ENCODING_PCM_S16LE,
                    sample_rate_hz=RATE_HZ,
                )
                for place in range(tracks)
            ]
        )
        answer = await self.live.OpenMeeting(pb.OpenMeetingRequest(config=config), metadata=self.metadata)
        return answer.ready

    async def send(self, ready: pb.LiveReady, seconds: float = 1, first_sample: int = 0) -> None:
        body = httpbody_pb2.HttpBody(data=bytes(2 * round(seconds * RATE_HZ)))
        request = pb.SendAudioRequest(
            session_id=ready.session_id, owner=ready.owner, track_id="t0", first_sample=first_sample, body=body
        )
        await self.live.SendAudio(request, metadata=self.metadata)

    async def delete(self, ready: pb.LiveReady) -> None:
        request = meetings_pb2.DeleteMeetingRequest(file_hash=ready.file_hash)
        await self.meetings.DeleteMeeting(request, metadata=self.metadata)


@asynccontextmanager
async def engine_and_api(
    owner: Database, database: Database, folder: Path, **limits: Any
) -> AsyncIterator[tuple[ScriptedEngine, Api]]:
    async with (
        scripted_engine() as (engine, address),
        running_api(owner, database, folder, inference_address=address, **limits) as api,
    ):
        yield engine, api


async def bot_of(api: Api, organization: str = "Org") -> Bot:
    return Bot(api, await api.token(organization, EMAILS[organization]))


def open_files(folder: Path) -> list[str]:
    """The files under a folder that this process has open."""
    links = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(link.readlink()))
        except FileNotFoundError:
            continue
    return [link for link in links if link.startswith(str(folder))]


def tasks_of(*meetings: pb.LiveReady) -> list[str]:
    """The tasks that work for meetings."""
    names = {f"live {ready.session_id}" for ready in meetings}
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name() in names]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.05)


async def read_to_the_end(call: Any) -> None:
    """Raises aio.AioRpcError where the call ends with an error."""
    while await call.read() is not aio.EOF:
        pass


async def refused(call: Any) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as raised:
        await call
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert dict(raised.value.trailing_metadata() or ())["retry-after"] == "30"
    return raised.value


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="lists open files by /proc")
async def test_meetings_without_audio_hold_no_session_of_the_engine(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path) as (engine, api):
        hostile, other = await bot_of(api), await bot_of(api, "Elsewhere")
        for _ in range(4):
            await hostile.open(MAX_TRACKS)
        ready = await other.open()
        await other.send(ready)
        # The first session there is belongs to the one who speaks.
        session = await engine.session()
        assert (session.config.session_label, engine.opened) == (ready.session_id, 1)
        assert session.config.organization
        # Tracks cost no descriptors: only the meetings' locks do.
        assert len(open_files(tmp_path)) <= 5


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="lists open files by /proc")
async def test_a_deleted_meeting_holds_nothing(owner: Database, database: Database, tmp_path: Path) -> None:
    async with engine_and_api(owner, database, tmp_path) as (engine, api):
        bot = await bot_of(api)
        opened = [await bot.open(4) for _ in range(5)]
        await bot.send(opened[0])
        session = await engine.session()
        watch = bot.live.WatchMeeting(pb.WatchMeetingRequest(session_id=opened[0].session_id), metadata=bot.metadata)
        watching = asyncio.ensure_future(read_to_the_end(watch))
        await asyncio.sleep(0)
        for ready in opened:
            await bot.delete(ready)
        assert tasks_of(*opened) == []
        assert open_files(tmp_path) == []
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
        async with asyncio.timeout(PATIENCE_S):
            await session.gone.wait()
            with pytest.raises(aio.AioRpcError) as raised:
                await watching
        assert raised.value.code() == grpc.StatusCode.NOT_FOUND
        with pytest.raises(aio.AioRpcError) as raised:
            await bot.send(opened[0])
        assert raised.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="lists open files by /proc")
async def test_a_meeting_deleted_by_another_process_is_let_go_however_silent(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path) as (_, api):
        bot = await bot_of(api)
        ready = await bot.open(2)
        assert tasks_of(ready)
        organization_id = await owner.run(lambda c: c.fetchval("SELECT organization_id FROM meetings"))
        forget = partial(meetings.delete, organization_id=organization_id, file_hash=ready.file_hash)
        assert await database.run(forget, organization_id=organization_id)
        await until(lambda: not tasks_of(ready) and not open_files(tmp_path))


async def test_who_watches_a_quiet_meeting_receives_signs_of_life_and_keeps_it(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.api.live_watch.HEARTBEAT_S", 0.2)
    monkeypatch.setattr("server.live.connection.UNARY_TIMEOUT_S", 0.1)
    async with engine_and_api(owner, database, tmp_path, live_grace_s=2) as (engine, api):
        bot = await bot_of(api)
        ready = await bot.open()
        assert (ready.limits.grace_s, ready.limits.sender_s, ready.limits.watched_s) == (2, 10, 3600)
        watch = bot.live.WatchMeeting(pb.WatchMeetingRequest(session_id=ready.session_id), metadata=bot.metadata)
        async with asyncio.timeout(PATIENCE_S):
            # Much longer than the grace period.
            for _ in range(40):
                answer = await watch.read()
                assert isinstance(answer, pb.WatchMeetingResponse)
                assert answer.HasField("heartbeat"), answer
                assert answer.heartbeat.last_event_seq == 0
        # Its sender was away all the time, and goes on.
        await bot.send(ready)
        session = await engine.session()
        watch.cancel()
        # Once nobody watches any more its end is announced, and then comes.
        await session.conclude()

        async def concluded() -> bool:
            return bool(await owner.run(lambda c: c.fetchval("SELECT concluded FROM live_meetings")))

        async with asyncio.timeout(PATIENCE_S):
            while not await concluded():
                await asyncio.sleep(0.05)
        watch = bot.live.WatchMeeting(pb.WatchMeetingRequest(session_id=ready.session_id), metadata=bot.metadata)
        events = [answer.event async for answer in watch]
        assert [event.warning.code for event in events if event.HasField("warning")] == [pb.WARNING_CODE_ENDING]
        assert events[-1].finished.status == "ready"


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="lists open files by /proc")
async def test_a_silent_client_of_single_calls_is_gone_and_its_meeting_finished_and_let_go(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path, live_grace_s=0.5) as (engine, api):
        bot = await bot_of(api)
        ready = await bot.open()
        await bot.send(ready)
        session = await engine.session()
        # Nothing more is called: after 10 s it is gone, 0.5 s later its meeting is finished.
        await session.conclude()
        await until(lambda: not tasks_of(ready) and not open_files(tmp_path))
        state = await owner.run(lambda c: c.fetchval("SELECT concluded FROM live_meetings"))
        assert state is True


async def test_who_watches_from_before_the_first_event_is_told_what_is_wrong(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path) as (_, api):
        bot = await bot_of(api)
        ready = await bot.open()
        for seen in (-1, -(2**31)):
            request = pb.WatchMeetingRequest(session_id=ready.session_id, after_event_seq=seen)
            with pytest.raises(aio.AioRpcError, match=f"after_event_seq: {seen}; must be 0 or more") as raised:
                await read_to_the_end(bot.live.WatchMeeting(request, metadata=bot.metadata))
            assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_organization_has_its_number_of_running_meetings_and_others_theirs(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    limits = {"live_meetings_per_organization": 3, "live_tracks_per_organization": 6}
    async with engine_and_api(owner, database, tmp_path, **limits) as (_, api):
        hostile, other = await bot_of(api), await bot_of(api, "Elsewhere")
        # All at once: none slips through.
        answers = await asyncio.gather(*(hostile.open() for _ in range(12)), return_exceptions=True)
        opened = [answer for answer in answers if isinstance(answer, pb.LiveReady)]
        assert len(opened) == 3
        error = await refused(hostile.open())
        assert error.details() == (
            "This organization has reached its limit of 3 running live meetings; finish a meeting, or try again later"
        )
        await other.open(6)
        error = await refused(other.open())
        assert "limit of 6 tracks of running live meetings" in (error.details() or "")
        await hostile.delete(opened[0])
        await hostile.open()
        await refused(hostile.open())


@pytest.mark.parametrize("used_up", ["minutes_per_day", "stored_bytes"])
async def test_no_meeting_begins_where_a_quota_is_used_up_and_those_that_run_go_on(
    owner: Database, database: Database, tmp_path: Path, used_up: str
) -> None:
    async with engine_and_api(owner, database, tmp_path, **{f"quota_{used_up}": 1}) as (_, api):
        bot, other = await bot_of(api), await bot_of(api, "Elsewhere")
        ready = await bot.open()
        await owner.run(
            lambda c: c.execute(
                "UPDATE meetings SET size_bytes = 1"
                if used_up == "stored_bytes"
                else "INSERT INTO organization_days (organization_id, analysed_ms)"
                " SELECT organization_id, 60000 FROM meetings"
            )
        )
        with pytest.raises(aio.AioRpcError) as raised:
            await bot.open()
        assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert used_up in str(raised.value.trailing_metadata())
        await bot.send(ready)
        await other.open()


async def test_no_meeting_begins_where_the_disk_has_only_its_reserve_left(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path, disk_reserve_bytes=2**60) as (_, api):
        bot = await bot_of(api)
        with pytest.raises(aio.AioRpcError) as raised:
            await bot.open()
        assert "STORAGE_FULL" in str(raised.value.trailing_metadata())
        assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM meetings")) == 0


@pytest.mark.parametrize(
    ("told", "short", "cause"),
    [
        (session_pb2.GetStatisticsResponse(live_full=True), False, "lag"),
        (session_pb2.GetStatisticsResponse(memory_short=True), False, "memory"),
        (session_pb2.GetStatisticsResponse(), True, "memory"),
    ],
    ids=["late", "memory of the engine", "own memory"],
)
async def test_an_overloaded_server_opens_no_further_meeting_and_those_that_are_open_go_on(
    owner: Database,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: session_pb2.GetStatisticsResponse,
    short: bool,
    cause: str,
) -> None:
    monkeypatch.setattr(load_watch, "KNOWN_S", 0.0)
    async with engine_and_api(owner, database, tmp_path) as (engine, api):
        bot = await bot_of(api)
        ready = await bot.open()
        engine.statistics = told
        if short:
            monkeypatch.setattr(MemoryReserve, "is_short", lambda _: True)
        with pytest.raises(aio.AioRpcError) as raised:
            await bot.open()
        error, trailers = raised.value, dict(raised.value.trailing_metadata() or ())
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (trailers["x-meetra-reason"], trailers["x-http-code"]) == ("SERVER_OVERLOADED", "429")
        assert 5 <= int(trailers["retry-after"]) <= 15
        assert ("memory" in (error.details() or "")) is (cause == "memory")
        assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM meetings")) == 1
        await bot.send(ready)
        config = pb.LiveConfig(session_id=ready.session_id, take_over=True)
        again = await bot.live.OpenMeeting(pb.OpenMeetingRequest(config=config), metadata=bot.metadata)
        assert again.ready.session_id == ready.session_id
        engine.statistics = session_pb2.GetStatisticsResponse()
        monkeypatch.undo()
        monkeypatch.setattr(load_watch, "KNOWN_S", 0.0)
        await bot.open()


async def test_a_process_has_its_number_of_running_meetings(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path, live_max_meetings=3) as (_, api):
        bot = await bot_of(api)
        answers = await asyncio.gather(*(bot.open() for _ in range(12)), return_exceptions=True)
        opened = [answer for answer in answers if isinstance(answer, pb.LiveReady)]
        assert len(opened) == 3
        assert "This server has reached its limit of 3" in ((await refused(bot.open())).details() or "")
        await bot.delete(opened[0])
        await bot.open()

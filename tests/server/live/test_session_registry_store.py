"""Machines with a disk each and an object store together: a live meeting outlives the machine that holds it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from grpc import aio
from meetra.inference.v2 import session_pb2_grpc

from server.audio import ObjectStore, StoreUnavailable
from server.audio.audio_log import AudioLog
from server.errors import HeldByAnotherServer
from server.live import LiveSession, LiveState, session_registry, track_keeper, track_log
from server.live.recording import LiveRecordings
from server.live.session_registry import LiveSessionRegistry
from server.live.track_keeper import TrackKeeper
from server.meetings import Deletion
from server.storage import jobs, live, meetings
from server.storage.pool import Database
from tests.object_stores import ObjectServer
from tests.server.live.live_configs import PARTICIPANT, of_kinds
from tests.server.live.replica_child import CountingEngine
from tests.server.live.test_session import PATIENCE_S, caller_of, server_of

pytestmark = pytest.mark.children
SECONDS = 4
# Whole blocks of the engine; no two of its samples in a row are the same.
PCM = (np.arange(SECONDS * 16_384) % 20_011 - 10_000).astype("<i2").tobytes()
HALF = len(PCM) // 2
CONFIG = of_kinds(PARTICIPANT)


@asynccontextmanager
async def supervised(
    database: Database, folder: Path, engine: str, store: ObjectStore, **limits: Any
) -> AsyncIterator[LiveSessionRegistry]:
    async with server_of(database, folder, engine, store, **limits) as registry:
        supervising = asyncio.create_task(registry.supervise())
        try:
            yield registry
        finally:
            supervising.cancel()
            await asyncio.gather(supervising, return_exceptions=True)


@pytest.fixture
async def engine() -> AsyncIterator[str]:
    """The address of one."""
    server = aio.server()
    session_pb2_grpc.add_SessionServiceServicer_to_server(CountingEngine("engine"), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


async def names_of(store: ObjectStore) -> list[str]:
    return [stored.key.rpartition("/")[2] async for stored in store.list_below()]


async def spoken(meeting: LiveSession, pcm: bytes) -> None:
    (log,) = meeting.audio.logs
    await meeting.audio.append(log, pcm)
    async with asyncio.timeout(PATIENCE_S):
        await meeting.audio.wait_until_committed()


async def concluded(meeting: LiveSession) -> None:
    meeting.finish()
    async with asyncio.timeout(PATIENCE_S):
        while meeting.state is not LiveState.CONCLUDED:
            assert not meeting.lost
            await asyncio.sleep(0.05)


async def test_a_meeting_outlives_its_machine_and_is_deleted_without_a_trace(
    owner: Database,
    database: Database,
    tmp_path: Path,
    engine: str,
    object_server: ObjectServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(track_keeper, "LINGER_S", 0.0)
    caller, store = await caller_of(owner), object_server.fresh(5)
    machine = partial(supervised, database, engine=engine, store=store, live_acknowledge="remote", live_segment_s=0.05)
    async with machine(tmp_path / "one") as first, machine(tmp_path / "two") as second:
        meeting = await first.open(CONFIG, caller)
        row, recording = meeting.row, (meeting.row.organization_id, meeting.row.file_hash)
        await spoken(meeting, PCM[:HALF])
        # Nothing is left of the machine, and nobody says so: its lease expires.
        shutil.rmtree(tmp_path / "one")
        expire = partial(
            owner.run,
            lambda c: c.execute(
                "UPDATE live_meetings SET lease_until = now() - interval '1 s', holder_machine = 'another',"
                " holder_process = 'another'"
            ),
        )
        await expire()
        with object_server.gone(), pytest.raises(StoreUnavailable):
            # Who cannot know what there is takes the meeting from nobody.
            await second.find(row.meeting_id, caller)
        # The first one renews its lease as long as it does not know.
        moved = None
        async with asyncio.timeout(PATIENCE_S):
            while moved is None:
                await expire()
                with suppress(HeldByAnotherServer):
                    moved = await second.find(row.meeting_id, caller)
        assert moved.row.fence == 2
        assert moved.audio.logs[0].committed == HALF // 2
        await spoken(moved, PCM[HALF:])
        await concluded(moved)
        answer = await database.run(
            lambda c: meetings.load_conversation(c, row.meeting_id), organization_id=row.organization_id
        )
        said = " ".join(sentence["text"] for sentence in answer["sentences"])
        assert said == " ".join(f"Sekunde {second}" for second in range(SECONDS))
        # It goes into the store as a whole, and leaves the disk.
        two = AudioLog(tmp_path / "two", store).folder(*recording)
        async with asyncio.timeout(PATIENCE_S):
            while two.exists():
                await asyncio.sleep(0.05)
        assert await names_of(store) == ["live-over-0000000001", "live-whole", "track-0.edits", "track-0.log"]
    # There is no decoded audio that could be lost: it is decoded as it is needed, wherever that is.
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    third = AudioLog(tmp_path / "three", store)
    async with third.live.opened(*recording) as folder:
        assert (folder / "track-0.log").read_bytes() == PCM
    async with machine(tmp_path / "three") as registry:
        # Who missed the end learns of it, and need not send anything again.
        over = await registry.find(row.meeting_id, caller)
        assert (over.state, over.audio.logs[0].committed) == (LiveState.CONCLUDED, len(PCM) // 2)
    deletion = Deletion(third, database)
    await deletion.delete(caller, row.file_hash)
    assert await names_of(store) == []
    assert not object_server.holds(row.file_hash.encode())
    receipt = await owner.run(lambda c: c.fetchrow("SELECT files_removed_at FROM deletions"))
    assert receipt is not None
    assert receipt["files_removed_at"] is not None


async def test_a_worker_without_the_files_analyses_what_the_store_has(
    owner: Database, database: Database, tmp_path: Path, engine: str, object_server: ObjectServer
) -> None:
    caller, store = await caller_of(owner), object_server.fresh()
    async with server_of(database, tmp_path / "one", engine, store, live_segment_s=0.05) as first:
        meeting = await first.open(CONFIG, caller)
        await spoken(meeting, PCM)
        # It is over, and the process that held it ends before the analysis.
        await meeting.audio.wait_until_committed()
        finish = partial(live.finish, row=meeting.row, size_bytes=len(PCM), lease_s=None)
        await database.run(finish, organization_id=meeting.row.organization_id)
    log = AudioLog(tmp_path / "worker", store)
    job = await database.run(lambda c: jobs.lease_next(c, 30, 3))
    assert job is not None
    recording = await LiveRecordings(database, log).load(job)
    assert recording is not None
    (track,) = recording.tracks
    assert track.samples == len(PCM) // 2
    assert b"".join([data async for data in track.pcm()]) == PCM
    assert log.remove_decoded(job.organization_id, job.file_hash)
    assert not [path for path in (tmp_path / "worker").rglob("*") if path.is_file()]


async def test_a_meeting_that_another_process_deletes_leaves_nothing_in_the_store(
    owner: Database,
    database: Database,
    tmp_path: Path,
    engine: str,
    object_server: ObjectServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_registry, "FENCE_CHECK_EVERY_S", 0.5)
    caller, store = await caller_of(owner), object_server.fresh()
    async with supervised(database, tmp_path / "one", engine, store, live_segment_s=0.05) as first:
        meeting = await first.open(CONFIG, caller)
        await spoken(meeting, PCM)
        await Deletion(AudioLog(tmp_path / "two", store), database).delete(caller, meeting.row.file_hash)
        # It sends on until it learns of it.
        async with asyncio.timeout(PATIENCE_S):
            while not meeting.lost:
                await meeting.audio.append(meeting.audio.logs[0], b"ab")
                await asyncio.sleep(0.02)
            while await names_of(store) or any((tmp_path / "one").rglob("track-0.log")):
                await asyncio.sleep(0.05)
    assert await names_of(store) == []


async def test_what_is_left_on_a_disk_is_settled(
    owner: Database,
    database: Database,
    tmp_path: Path,
    engine: str,
    object_server: ObjectServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(track_keeper, "LINGER_S", 0.0)
    monkeypatch.setattr(track_log, "LET_GO_S", 0.1)
    caller, store = await caller_of(owner), object_server.fresh(1)
    async with server_of(database, tmp_path / "one", engine, store, live_segment_s=0.05) as first:
        done = await first.open(CONFIG, caller)
        await spoken(done, PCM)
        with object_server.gone():
            # The store is away as it ends: by the policy local that delays nobody.
            await concluded(done)
            gone = await first.open(CONFIG, caller)
            await spoken(gone, PCM)
            await first.close()
    log = AudioLog(tmp_path / "one", store)
    await owner.run(lambda c: c.execute("DELETE FROM meetings WHERE id = $1", gone.row.meeting_id))
    assert len(list((tmp_path / "one").rglob("track-0.log"))) == 2
    await TrackKeeper(database, log).settle()
    assert not list((tmp_path / "one").rglob("track-0.log"))
    async with AudioLog(tmp_path / "two", store).live.opened(done.row.organization_id, done.row.file_hash) as folder:
        assert (folder / "track-0.log").read_bytes() == PCM


async def test_files_of_a_later_holder_are_left_alone(
    owner: Database, database: Database, tmp_path: Path, engine: str
) -> None:
    caller = await caller_of(owner)
    async with server_of(database, tmp_path, engine) as first:
        meeting = await first.open(CONFIG, caller)
        await spoken(meeting, PCM)
    folder = AudioLog(tmp_path).folder(meeting.row.organization_id, meeting.row.file_hash)
    # It has the lease, stands still, and meanwhile another one has both.
    (folder / "holder-9").touch()
    async with server_of(database, tmp_path, engine) as second:
        with pytest.raises(HeldByAnotherServer):
            await second.find(meeting.row.meeting_id, caller)
    assert (folder / "track-0.log").read_bytes() == PCM

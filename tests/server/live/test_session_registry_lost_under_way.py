"""What a live meeting stands on goes away under it: its disk's room, its row, its user. Each is told as what it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from shutil import rmtree

import pytest

from server.disk import DiskFull
from server.errors import AudioNotStored, HeldByAnotherServer, SessionNotFound
from server.storage import meetings
from server.storage.pool import Database, ReferenceDeleted
from tests.server.live.scripted_engine import scripted_engine
from tests.server.live.test_session import CONFIG, caller_of, server_of
from tests.server.live.test_track_log import CHUNK, ONE, all_of, held
from tests.small_disk import fill, small_disk


async def test_audio_for_which_there_is_no_room_is_not_acknowledged_and_can_be_sent_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 256) as folder, ThreadPoolExecutor(1) as syncing:
        (folder / "ballast").write_bytes(bytes(150_000))
        async with held(folder / "meeting", ONE, syncing) as audio:
            await audio.append(audio.logs[0], bytes(CHUNK))
            await audio.wait_until_committed()
            for _ in range(4):
                await audio.append(audio.logs[0], bytes(CHUNK))
            with pytest.raises(AudioNotStored):
                await audio.wait_until_committed()
            with pytest.raises(DiskFull):
                await audio.wait_until_closed()
            acknowledged = audio.logs[0].committed
            assert acknowledged >= CHUNK // 2
        (folder / "ballast").unlink()
        async with held(folder / "meeting", ONE, syncing) as audio:
            (log,) = audio.logs
            assert log.committed >= acknowledged
            await audio.append(log, b"\1\0" * 100)
            await audio.end()
            assert (await all_of(audio))[-200:] == b"\1\0" * 100


async def test_a_meeting_for_which_there_is_no_room_is_not_there(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    caller = await caller_of(owner)
    async with scripted_engine() as (_, address):
        with small_disk(tmp_path / "small", 64, files=20) as folder:
            ballast = fill(folder)
            async with server_of(database, folder, address, disk_reserve_bytes=0) as live:
                with pytest.raises(DiskFull):
                    await live.open(CONFIG, caller)
                assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM meetings")) == 0
                for path in ballast:
                    path.unlink()
                meeting = await live.open(CONFIG, caller)
                id_ = meeting.row.meeting_id
            # One that is there waits for room: its client is told to come again, and not that it is refused.
            rmtree(folder / str(caller.organization_id))
            fill(folder)
            async with server_of(database, folder, address) as live:
                with pytest.raises(AudioNotStored):
                    await live.find(id_, caller)


async def test_a_meeting_that_is_deleted_while_somebody_connects_is_not_an_internal_error(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    caller = await caller_of(owner)
    async with scripted_engine() as (_, address), server_of(database, tmp_path, address) as live:
        meeting = await live.open(CONFIG, caller)
        forget = partial(meetings.delete, organization_id=caller.organization_id, file_hash=meeting.row.file_hash)
        assert await database.run(forget, organization_id=caller.organization_id)
        with pytest.raises(HeldByAnotherServer):
            await meeting.connect(take_over=False, streams=True)
        with pytest.raises(SessionNotFound):
            await live.find(meeting.row.meeting_id, caller)


async def test_a_user_who_is_deleted_opens_no_meeting(owner: Database, database: Database, tmp_path: Path) -> None:
    caller = await caller_of(owner)
    await owner.run(lambda c: c.execute("DELETE FROM users"))
    async with scripted_engine() as (_, address), server_of(database, tmp_path, address) as live:
        with pytest.raises(ReferenceDeleted) as raised:
            await live.open(CONFIG, caller)
        assert raised.value.entity == "user"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]

"""Recordings in an object store and their meetings: both or neither, whatever happens to the store meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from pydantic import SecretStr

from server.analysis import AudioQuota, Decoding, MeetingAnalyzer
from server.audio import UPLOADED, AudioLog, ObjectStore, StoreUnavailable
from server.audio.object_files import ObjectFiles
from server.auth import Caller
from server.config import ServerSettings
from server.disk import DiskReserve
from server.errors import Unauthenticated
from server.fair_slots import FairSlots
from server.meetings import Deletion, JobRunner, ResumableUploads, Retention, UploadChunk, UploadLimits, Uploads
from server.meetings.job_runner import MISSING
from server.meetings.sent_recording import SENDS
from server.meetings.upload_allowance import UploadAllowances
from server.quotas import UNLIMITED, Quotas
from server.storage import deletions, meetings
from server.storage.jobs import Job
from server.storage.pool import Database
from tests.object_stores import ObjectServer
from tests.recordings import excerpt
from tests.server.callers import caller as fresh_caller
from tests.server.storage.rows import make_user
from tests.server.storage.test_jobs import take

QUOTAS = Quotas(**dict.fromkeys(Quotas.__dataclass_fields__, UNLIMITED))
# So long the store is tried, seconds.
PATIENCE_S = 1.0


@pytest.fixture
async def caller(owner: Database) -> Caller:
    return fresh_caller(await make_user(owner))


@pytest.fixture
def store(object_server: ObjectServer) -> ObjectStore:
    return object_server.fresh(PATIENCE_S)


@pytest.fixture
def log(tmp_path: Path, store: ObjectStore) -> AudioLog:
    return AudioLog(tmp_path / "log", store)


def uploads_into(log: AudioLog, database: Database) -> Uploads:
    allowances = UploadAllowances(database, QUOTAS, DiskReserve(log.root, 0))
    return Uploads(log, database, UploadLimits(1_000_000, 60.0), allowances, FairSlots(4))


async def upload(
    log: AudioLog, database: Database, caller: Caller, recording: bytes, owner: Database | None = None
) -> str:
    """Upload a recording; with ``owner``, the caller's token is revoked before its last byte."""

    async def sent() -> AsyncIterator[UploadChunk]:
        yield UploadChunk(recording[:-1], "audio/wav", {})
        if owner is not None:
            await owner.run(lambda c: c.execute("UPDATE users SET token_generation = token_generation + 1"))
        yield UploadChunk(recording[-1:], "audio/wav", {})

    return (await uploads_into(log, database).receive(caller, sent())).file_hash


async def left(owner: Database, log: AudioLog, store: ObjectStore) -> tuple[int, int, int]:
    """How many files on this machine, objects and meetings there are."""
    objects = [found async for found in store.list_below()]
    rows: int = await owner.run(lambda c: c.fetchval("SELECT count(*) FROM meetings"))
    return len([path for path in log.root.rglob("*") if path.is_file()]), len(objects), rows


async def test_a_recording_is_accepted_once_the_store_has_it_and_refused_ones_do_not_stay(
    owner: Database, database: Database, object_server: ObjectServer, log: AudioLog, store: ObjectStore, caller: Caller
) -> None:
    for away in (object_server.gone, object_server.standing_still):
        with away(), pytest.raises(StoreUnavailable):
            await upload(log, database, caller, excerpt(1))
    async with object_server.failing():
        with pytest.raises(StoreUnavailable):
            await upload(log, database, caller, excerpt(1))
    # What a standing store was asked to do it may do later, for nobody.
    await Deletion(log, database).sweep_kept(timedelta())
    assert await left(owner, log, store) == (0, 0, 0)
    with pytest.raises(Unauthenticated):
        await upload(log, database, caller, excerpt(1), owner)
    assert await left(owner, log, store) == (0, 0, 0)
    caller = fresh_caller(await make_user(owner))
    file_hash = await upload(log, database, caller, excerpt(1))
    async with log.kept.file(caller.organization_id, file_hash, UPLOADED).open() as file:
        assert await file.read(10_000_000) == excerpt(1)
    # It is known, and stays; a refusal of the same recording does not take it away.
    assert await upload(log, database, caller, excerpt(1)) == file_hash
    with pytest.raises(Unauthenticated):
        await upload(log, database, caller, excerpt(1), owner)
    assert await left(owner, log, store) == (0, 1, 1)


async def test_an_upload_in_pieces_keeps_them_until_the_store_is_back(
    owner: Database, database: Database, object_server: ObjectServer, log: AudioLog, store: ObjectStore, caller: Caller
) -> None:
    accepted, recording = [], excerpt(1)

    async def record(file_hash: str) -> None:
        accepted.append(file_hash)

    async def piece() -> AsyncIterator[bytes]:
        yield recording

    resumable = ResumableUploads(uploads_into(log, database), database, record)
    upload_id = await resumable.create(caller, len(recording), {}, "a.wav", "audio/wav")
    with object_server.gone():
        with pytest.raises(StoreUnavailable):
            await resumable.append(caller, upload_id, 0, piece(), len(recording))
        with pytest.raises(StoreUnavailable):
            await resumable.find(caller, upload_id)
    assert accepted == []
    progress = await resumable.find(caller, upload_id)
    assert progress.finished is not None
    assert [progress.finished.file_hash] == accepted
    assert (await left(owner, log, store))[1:] == (1, 1)


async def test_a_recording_that_is_removed_before_its_meeting_is_there_is_sent_again(
    owner: Database, database: Database, log: AudioLog, store: ObjectStore, caller: Caller
) -> None:
    class Losing(ObjectFiles):
        """Files that somebody removes as soon as they are sent, so many times."""

        times = 0

        async def send(self, organization_id: UUID, file_hash: str, files: Mapping[str, Path]) -> bool:
            sent = await super().send(organization_id, file_hash, files)
            if self.times:
                self.times -= 1
                await self.remove(organization_id, file_hash)
            return sent

    losing = Losing(log, store, DiskReserve(log.root, 0))
    log.kept, losing.times = losing, SENDS
    with pytest.raises(StoreUnavailable):
        await upload(log, database, caller, excerpt(1))
    assert await left(owner, log, store) == (0, 0, 0)
    losing.times = SENDS - 1
    await upload(log, database, caller, excerpt(1))
    assert await left(owner, log, store) == (0, 1, 1)


async def test_what_a_crash_left_in_the_store_is_swept_and_what_has_a_meeting_stays(
    owner: Database, database: Database, tmp_path: Path, log: AudioLog, store: ObjectStore, caller: Caller
) -> None:
    file_hash = await upload(log, database, caller, excerpt(1))
    (tmp_path / "sent").write_bytes(b"and then the process was killed")
    files = {UPLOADED: tmp_path / "sent"}
    for organization_id, orphan in ((caller.organization_id, "ab" * 32), (UUID(int=9), file_hash)):
        await log.kept.send(organization_id, orphan, files)
    deletion = Deletion(log, database)
    # An upload may be on its way.
    assert await deletion.sweep_kept() == 0
    assert await deletion.sweep_kept(timedelta(seconds=-5)) == 2
    assert await left(owner, log, store) == (0, 1, 1)
    # Retention deleted the audio, and was killed before the objects.
    await owner.run(lambda c: c.execute("UPDATE meetings SET audio_deleted_at = now()"))
    assert await deletion.sweep_kept(timedelta(seconds=-5)) == 1
    # The recording is known: its audio does not come back.
    assert await upload(log, database, caller, excerpt(1)) == file_hash
    assert await left(owner, log, store) == (0, 0, 1)


async def test_a_deletion_covers_the_store_as_soon_as_it_is_back(
    owner: Database, database: Database, object_server: ObjectServer, log: AudioLog, store: ObjectStore, caller: Caller
) -> None:
    marker = b"what nobody may find again"
    recording = excerpt(1) + marker
    file_hash = await upload(log, database, caller, recording)
    other = await upload(log, database, caller, excerpt(1, mark="another"))
    assert object_server.holds(marker)
    deletion, organization_id = Deletion(log, database), caller.organization_id
    with object_server.gone():
        await deletion.delete(caller, file_hash)
    assert await left(owner, log, store) == (0, 2, 1)
    assert await deletion.finish_abandoned(0.0) == 1
    assert await left(owner, log, store) == (0, 1, 1)
    assert not object_server.holds(marker)
    assert not object_server.holds(file_hash.encode())
    assert object_server.holds(other.encode())
    found = await database.run(
        lambda c: deletions.list_page(c, organization_id, 9, None), organization_id=organization_id
    )
    assert [(row.files, row.size_bytes, row.files_removed_at is not None) for row in found] == [
        (1, len(recording), True)
    ]
    await owner.run(lambda c: c.execute("UPDATE organizations SET retention_audio_days = 1"))
    await owner.run(
        lambda c: c.execute("UPDATE meetings SET status = 'failed', created_at = now() - interval '9 days'")
    )
    assert await Retention(log, database, 60).enforce() == 1
    assert await left(owner, log, store) == (0, 0, 1)


async def test_an_analysis_waits_for_the_store_and_for_a_recording_that_is_not_there(
    owner: Database, database: Database, object_server: ObjectServer, log: AudioLog, caller: Caller
) -> None:
    async def no_live_meeting(_: Job) -> None:
        return None

    decoding = Decoding(60.0, 10_000_000, DiskReserve(log.root, 0), FairSlots(1))
    nothing = cast(Any, None)
    quota = AudioQuota(database, QUOTAS)
    analyzer = MeetingAnalyzer(database, log, nothing, nothing, no_live_meeting, decoding, quota)
    settings = ServerSettings(database_url=SecretStr("unused"), audio_dir=log.root)
    runner, heard = JobRunner(settings, database), []

    async def work(job: Job) -> None:
        heard.append((await analyzer._recording(job)).tracks[0].samples)

    async def attempt() -> tuple[int, str, str]:
        await owner.run(lambda c: c.execute("UPDATE jobs SET run_at = now(), lease_until = NULL"))
        job = await take(database)
        assert job is not None
        await runner.run(job, work)
        find = partial(meetings.find_state, organization_id=job.organization_id, file_hash=job.file_hash)
        state = await database.run(find, organization_id=job.organization_id)
        assert state is not None
        return job.attempt, state.status, state.message

    file_hash = await upload(log, database, caller, excerpt(1))
    for away in (object_server.gone, object_server.standing_still):
        with away():
            assert await attempt() == (1, "queued", "Waiting for the store of recordings")
    assert heard == []
    await attempt()
    # Nothing but what was decoded is on this machine, and nothing is fetched again for it.
    decoded = {path.name for path in log.root.rglob("*") if path.is_file()}
    assert (decoded, heard) == ({"pcm_s16le_16k.raw", "pcm_s16le_16k.json"}, [16_000])
    with object_server.gone():
        await attempt()
    assert heard == [16_000, 16_000]
    await asyncio.to_thread(log.remove_decoded, caller.organization_id, file_hash)
    assert not log.folder(caller.organization_id, file_hash).exists()
    await log.kept.remove(caller.organization_id, file_hash)
    await owner.run(lambda c: c.execute("UPDATE meetings SET attempts = 0"))
    assert [(await attempt())[1:] for _ in range(settings.max_attempts)] == [
        *[("queued", "Waiting for the recording")] * (settings.max_attempts - 1),
        ("failed", MISSING),
    ]

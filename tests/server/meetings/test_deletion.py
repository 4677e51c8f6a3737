"""Deletion: nothing is left of a meeting, on disk or in the database, and nothing else is touched."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from server.audio import AudioLog
from server.errors import MeetingNotFound
from server.meetings import Deletion
from server.storage import jobs, meetings
from server.storage.pool import Database
from tests.server.storage.rows import make_user, queued_meeting, ready_meeting

FIRST, SECOND = "a" * 64, "b" * 64


def recorded(log: AudioLog, organization_id: UUID, file_hash: str) -> Path:
    """A recording on disk, with what was decoded of it."""
    original = log.original(organization_id, file_hash)
    original.parent.mkdir(parents=True)
    original.write_bytes(b"a recording")
    log.pcm(organization_id, file_hash).write_bytes(b"\x00\x00")
    return original.parent


async def test_a_meeting_is_gone_with_its_audio_and_its_job_and_others_stay(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    await ready_meeting(database, user, FIRST)
    await queued_meeting(database, user, SECOND)
    kept, gone = recorded(log, user.organization_id, FIRST), recorded(log, user.organization_id, SECOND)
    await Deletion(log, database).delete(user.organization_id, SECOND)
    assert (kept.exists(), gone.exists()) == (True, False)
    run = partial(database.run, organization_id=user.organization_id)
    assert await run(lambda c: meetings.find_state(c, user.organization_id, SECOND)) is None
    assert await run(lambda c: meetings.exists(c, user.organization_id, FIRST))
    assert await database.run(lambda c: jobs.lease_next(c, 30, 3)) is None
    with pytest.raises(MeetingNotFound):
        await Deletion(log, database).delete(user.organization_id, SECOND)


async def test_another_organization_s_meeting_of_the_same_recording_stays(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    here, elsewhere = await make_user(owner), await make_user(owner, "Elsewhere")
    log = AudioLog(tmp_path)
    await ready_meeting(database, here, FIRST)
    await ready_meeting(database, elsewhere, FIRST)
    folders = [recorded(log, user.organization_id, FIRST) for user in (here, elsewhere)]
    await Deletion(log, database).delete(here.organization_id, FIRST)
    assert [folder.exists() for folder in folders] == [False, True]
    run = partial(database.run, organization_id=elsewhere.organization_id)
    assert await run(lambda c: meetings.exists(c, elsewhere.organization_id, FIRST))


async def test_a_sweep_removes_recordings_without_a_meeting_and_nothing_else(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    await ready_meeting(database, user, FIRST)
    kept = recorded(log, user.organization_id, FIRST)
    orphans = [recorded(log, user.organization_id, SECOND), recorded(log, uuid4(), FIRST)]
    foreign = tmp_path / "lost+found" / "aa" / "something"
    foreign.mkdir(parents=True)
    assert await Deletion(log, database).sweep_orphans() == 2
    assert kept.exists()
    assert foreign.exists()
    assert not any(folder.exists() for folder in orphans)
    assert await Deletion(log, database).sweep_orphans() == 0

"""Deletion: nothing is left of a meeting, on disk or in the database, and nothing else is touched."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from server.audio import AudioLog
from server.errors import MeetingNotFound
from server.meetings import Deletion
from server.storage import deletions, jobs, meetings
from server.storage.deletions import DeletionRow
from server.storage.pool import Database
from server.storage.users import User
from tests.server.callers import caller
from tests.server.storage.rows import make_user, queued_meeting, ready_meeting

FIRST, SECOND = "a" * 64, "b" * 64


def recorded(log: AudioLog, organization_id: UUID, file_hash: str) -> Path:
    """A recording on disk, with what was decoded of it."""
    original = log.folder(organization_id, file_hash) / "original"
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
    await Deletion(log, database).delete(caller(user), SECOND)
    assert (kept.exists(), gone.exists()) == (True, False)
    run = partial(database.run, organization_id=user.organization_id)
    assert await run(lambda c: meetings.find_state(c, user.organization_id, SECOND)) is None
    assert await run(lambda c: meetings.exists(c, user.organization_id, FIRST))
    assert await database.run(lambda c: jobs.lease_next(c, 30, 3)) is None
    with pytest.raises(MeetingNotFound):
        await Deletion(log, database).delete(caller(user), SECOND)


async def test_another_organization_s_meeting_of_the_same_recording_stays(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    here, elsewhere = await make_user(owner), await make_user(owner, "Elsewhere")
    log = AudioLog(tmp_path)
    await ready_meeting(database, here, FIRST)
    await ready_meeting(database, elsewhere, FIRST)
    folders = [recorded(log, user.organization_id, FIRST) for user in (here, elsewhere)]
    await Deletion(log, database).delete(caller(here), FIRST)
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


async def receipts(database: Database, user: User) -> list[DeletionRow]:
    return await database.run(
        lambda c: deletions.list_page(c, user.organization_id, 9, None), organization_id=user.organization_id
    )


async def test_a_receipt_says_what_was_deleted_by_whom(owner: Database, database: Database, tmp_path: Path) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    await ready_meeting(database, user, FIRST)
    recorded(log, user.organization_id, FIRST)
    await Deletion(log, database).delete(caller(user), FIRST)
    (receipt,) = await receipts(database, user)
    assert (receipt.file_hash, receipt.part, receipt.reason, receipt.email) == (FIRST, "meeting", "request", user.email)
    assert receipt.row_counts == {"conversations": 1, "meeting_names": 1, "meetings": 1, "speakers": 2}
    assert (receipt.files, receipt.size_bytes) == (2, len(b"a recording") + 2)
    assert receipt.files_removed_at is not None
    assert receipt.purged_at is None


async def test_a_deletion_that_a_crash_interrupts_is_completed_with_its_receipt(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    await ready_meeting(database, user, FIRST)
    folder = recorded(log, user.organization_id, FIRST)

    async def crash(organization_id: UUID, file_hash: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await Deletion(log, database, crash).delete(caller(user), FIRST)
    assert folder.exists()
    assert [receipt.files_removed_at for receipt in await receipts(database, user)] == [None]
    assert await Deletion(log, database).finish_abandoned() == 0
    assert await Deletion(log, database).finish_abandoned(0.0) == 1
    assert not folder.exists()
    (receipt,) = await receipts(database, user)
    assert (receipt.files, receipt.files_removed_at is not None) == (2, True)
    assert await Deletion(log, database).finish_abandoned(0.0) == 0


async def test_a_recording_that_came_again_keeps_its_files_and_the_receipt_is_completed(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    await ready_meeting(database, user, FIRST)
    folder = recorded(log, user.organization_id, FIRST)

    async def uploaded_again(organization_id: UUID, file_hash: str) -> None:
        await queued_meeting(database, user, file_hash)

    await Deletion(log, database, uploaded_again).delete(caller(user), FIRST)
    assert folder.exists()
    assert [receipt.files_removed_at is not None for receipt in await receipts(database, user)] == [True]


async def test_files_that_cannot_be_removed_stay_on_the_receipt(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    await ready_meeting(database, user, FIRST)
    recorded(log, user.organization_id, FIRST)
    with monkeypatch.context() as broken:
        broken.setattr(log, "remove", lambda organization_id, file_hash: None)
        await Deletion(log, database).delete(caller(user), FIRST)
    assert [receipt.files_removed_at for receipt in await receipts(database, user)] == [None]
    assert await Deletion(log, database).finish_abandoned(0.0) == 1
    assert [receipt.files for receipt in await receipts(database, user)] == [2]


async def test_files_that_the_disk_does_not_let_go_of_hold_up_no_other_deletion(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    for file_hash in (FIRST, SECOND):
        await ready_meeting(database, user, file_hash)
        recorded(log, user.organization_id, file_hash)
    measure = log.measure
    with monkeypatch.context() as broken:
        broken.setattr(log, "remove", lambda organization_id, file_hash: None)
        for file_hash in (FIRST, SECOND):
            await Deletion(log, database).delete(caller(user), file_hash)

    def unreadable(organization_id: UUID, file_hash: str) -> tuple[int, int]:
        if file_hash == FIRST:
            raise PermissionError(13, "Permission denied")
        return measure(organization_id, file_hash)

    monkeypatch.setattr(log, "measure", unreadable)
    assert await Deletion(log, database).finish_abandoned(0.0) == 1
    found = {receipt.file_hash: receipt.files_removed_at is not None for receipt in await receipts(database, user)}
    assert found == {FIRST: False, SECOND: True}


async def test_files_that_are_made_while_others_are_removed_go_too(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    await ready_meeting(database, user, FIRST)
    folder = recorded(log, user.organization_id, FIRST)
    remove, calls = log.remove, []

    def racing(organization_id: UUID, file_hash: str) -> None:
        remove(organization_id, file_hash)
        calls.append(file_hash)
        if len(calls) == 1:
            recorded(log, organization_id, file_hash)

    monkeypatch.setattr(log, "remove", racing)
    await Deletion(log, database).delete(caller(user), FIRST)
    assert (folder.exists(), len(calls)) == (False, 2)
    assert [receipt.files_removed_at is not None for receipt in await receipts(database, user)] == [True]

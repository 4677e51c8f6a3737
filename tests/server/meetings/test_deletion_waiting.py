"""Deletion that waits: it is called off in time, or carried out once, in the name of whoever requested it."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from server.audio import AudioLog
from server.errors import MeetingNotFound
from server.meetings import Deletion
from server.storage import meetings
from server.storage.pool import Database
from tests.server.callers import caller
from tests.server.meetings.test_deletion import FIRST, SECOND, receipts, recorded
from tests.server.storage.rows import make_user, new_meeting, ready_meeting


async def pass_time(owner: Database) -> None:
    """Let every wait be over."""
    await owner.run(lambda c: c.execute("UPDATE meetings SET delete_at = delete_at - interval '1 hour'"))


async def test_it_is_carried_out_when_the_wait_is_over_and_not_before(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    released: list[tuple[UUID, str]] = []

    async def let_go(organization_id: UUID, file_hash: str) -> None:
        released.append((organization_id, file_hash))

    for file_hash in (FIRST, SECOND):
        await ready_meeting(database, user, file_hash)
    kept, gone = recorded(log, user.organization_id, FIRST), recorded(log, user.organization_id, SECOND)
    deletion = Deletion(log, database, let_go)
    await deletion.delete_later(caller(user), SECOND, 60)
    assert await deletion.delete_due() == 0
    assert (gone.exists(), await receipts(database, user)) == (True, [])
    await pass_time(owner)
    assert await deletion.delete_due() == 1
    assert (kept.exists(), gone.exists()) == (True, False)
    assert released == [(user.organization_id, SECOND)]
    (receipt,) = await receipts(database, user)
    assert (receipt.file_hash, receipt.part, receipt.reason, receipt.user_id) == (SECOND, "meeting", "request", user.id)
    assert receipt.files_removed_at is not None
    assert await deletion.delete_due() == 0


async def test_it_is_called_off(owner: Database, database: Database, tmp_path: Path) -> None:
    user = await make_user(owner)
    await ready_meeting(database, user, FIRST)
    deletion = Deletion(AudioLog(tmp_path), database)
    await deletion.delete_later(caller(user), FIRST, 60)
    await deletion.call_off(caller(user), FIRST)
    await pass_time(owner)
    assert await deletion.delete_due() == 0
    # Of a meeting that is not to be deleted, nothing changes.
    await deletion.call_off(caller(user), FIRST)
    run = partial(database.run, organization_id=user.organization_id)
    assert await run(lambda c: meetings.exists(c, user.organization_id, FIRST))


async def test_an_upload_of_the_recording_calls_it_off(owner: Database, database: Database, tmp_path: Path) -> None:
    user = await make_user(owner)
    await ready_meeting(database, user, FIRST)
    deletion = Deletion(AudioLog(tmp_path), database)
    await deletion.delete_later(caller(user), FIRST, 60)
    run = partial(database.run, organization_id=user.organization_id)
    assert await run(lambda c: meetings.accept(c, new_meeting(user, FIRST))) == "ready"
    await pass_time(owner)
    assert await deletion.delete_due() == 0


async def test_a_later_request_counts_and_one_without_a_wait_deletes_at_once(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    await ready_meeting(database, user, FIRST)
    deletion = Deletion(log, database)
    first = await deletion.delete_later(caller(user), FIRST, 3600)
    second = await deletion.delete_later(caller(user), FIRST, 60)
    assert second < first
    await deletion.delete(caller(user), FIRST)
    await pass_time(owner)
    assert await deletion.delete_due() == 0
    assert len(await receipts(database, user)) == 1
    for call in (deletion.delete_later(caller(user), FIRST, 60), deletion.call_off(caller(user), FIRST)):
        with pytest.raises(MeetingNotFound):
            await call


async def test_nobody_delays_or_calls_off_a_deletion_of_another_organization(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user, stranger = await make_user(owner), await make_user(owner, "Elsewhere")
    await ready_meeting(database, user, FIRST)
    deletion = Deletion(AudioLog(tmp_path), database)
    await deletion.delete_later(caller(user), FIRST, 60)
    for call in (deletion.delete_later(caller(stranger), FIRST, 60), deletion.call_off(caller(stranger), FIRST)):
        with pytest.raises(MeetingNotFound):
            await call
    await pass_time(owner)
    assert await deletion.delete_due() == 1


async def test_two_processes_carry_it_out_once(owner: Database, database: Database, tmp_path: Path) -> None:
    user = await make_user(owner)
    await ready_meeting(database, user, FIRST)
    await Deletion(AudioLog(tmp_path), database).delete_later(caller(user), FIRST, 60)
    await pass_time(owner)
    found = await asyncio.gather(*(Deletion(AudioLog(tmp_path), database).delete_due() for _ in range(4)))
    assert sum(found) == 1
    assert len(await receipts(database, user)) == 1


async def test_it_is_carried_out_though_who_requested_it_was_deleted(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user = await make_user(owner)
    await ready_meeting(database, user, FIRST)
    deletion = Deletion(AudioLog(tmp_path), database)
    await deletion.delete_later(caller(user), FIRST, 60)
    await owner.run(lambda c: c.execute("DELETE FROM users"))
    await pass_time(owner)
    assert await deletion.delete_due() == 1
    (receipt,) = await receipts(database, user)
    assert (receipt.reason, receipt.user_id, receipt.email) == ("request", user.id, None)


async def test_one_that_the_disk_does_not_let_go_of_holds_up_no_other(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, log = await make_user(owner), AudioLog(tmp_path)
    deletion = Deletion(log, database)
    for file_hash in (FIRST, SECOND):
        await ready_meeting(database, user, file_hash)
        await deletion.delete_later(caller(user), file_hash, 60)
    await pass_time(owner)
    measure = log.measure

    def unreadable(organization_id: UUID, file_hash: str) -> tuple[int, int]:
        if file_hash == FIRST:
            raise PermissionError(13, "Permission denied")
        return measure(organization_id, file_hash)

    monkeypatch.setattr(log, "measure", unreadable)
    assert await deletion.delete_due() == 1
    assert [receipt.file_hash for receipt in await receipts(database, user)] == [SECOND]
    monkeypatch.undo()
    assert await deletion.delete_due() == 1

"""Decoded audio is on disk while somebody may read it, and no longer."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from server.audio.audio_log import AudioLog
from server.meetings.decoded_files import DecodedFiles
from server.storage.pool import Database
from server.storage.users import User
from tests.server.storage.rows import HASH, make_user, queued_meeting, ready_meeting

NAMES = ("pcm_s16le_16k.raw", "pcm_s16le_16k.json", "pcm_s16le_16k-1.raw", "pcm_s16le_16k.channels.json")


def decode(log: AudioLog, organization_id: UUID, file_hash: str = HASH) -> Path:
    """A recording with everything that decoding leaves; return its folder."""
    original = log.folder(organization_id, file_hash) / "original"
    (original.parent / "decoding-abc").mkdir(parents=True)
    (original.parent / "decoding-abc" / "1.raw").write_bytes(bytes(100))
    original.write_bytes(b"recording")
    for name in NAMES:
        (original.parent / name).write_bytes(bytes(10))
    return original.parent


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
async def user(owner: Database) -> User:
    return await make_user(owner)


async def test_the_decoded_audio_of_a_ready_meeting_is_deleted_and_the_recording_stays(
    database: Database, user: User, tmp_path: Path
) -> None:
    log = AudioLog(tmp_path)
    folder = decode(log, user.organization_id)
    await ready_meeting(database, user)
    files = DecodedFiles(log, database)
    assert await files.remove_if_done(user.organization_id, HASH)
    assert left(folder) == {"original"}
    assert not await files.remove_if_done(user.organization_id, HASH)


@pytest.mark.parametrize(("status", "kept"), [("queued", True), ("processing", True), ("failed", False)])
async def test_it_is_kept_while_an_analysis_may_read_it(
    owner: Database, database: Database, user: User, tmp_path: Path, status: str, kept: bool
) -> None:
    log = AudioLog(tmp_path)
    folder = decode(log, user.organization_id)
    await queued_meeting(database, user, HASH)
    if status != "queued":
        await owner.run(lambda c: c.execute("UPDATE meetings SET status = $1", status))
    assert await DecodedFiles(log, database).remove_if_done(user.organization_id, HASH) is not kept
    assert ("pcm_s16le_16k.raw" in left(folder)) is kept


async def test_a_sweep_deletes_what_crashes_and_earlier_versions_left(
    owner: Database, database: Database, user: User, tmp_path: Path
) -> None:
    log = AudioLog(tmp_path)
    other = await make_user(owner, "Other")
    await ready_meeting(database, user)
    await queued_meeting(database, other, HASH)
    done, waiting, orphan = [decode(log, id_) for id_ in (user.organization_id, other.organization_id, uuid4())]
    (log.incoming / "ab").mkdir(parents=True)
    files = DecodedFiles(log, database)
    assert await files.sweep() == 2
    assert left(done) == left(orphan) == {"original"}
    assert set(NAMES) < left(waiting)
    assert await files.sweep() == 0

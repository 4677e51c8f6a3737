"""Kept files do the same in a folder and in an object store; in a store nothing of them stays on this machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from server.audio import UPLOADED, AudioLog, FileNotSent, StoreUnavailable
from server.audio.object_files import BLOCK_BYTES
from server.disk import DiskFull
from tests.object_stores import ObjectServer

ORGANIZATION, OTHER, HASH = UUID(int=1), UUID(int=2), "ab" * 32
CONTENT = bytes(range(256)) * (2 * BLOCK_BYTES // 256) + b"the end"


def files_on(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def whole(tmp_path: Path, content: bytes = CONTENT) -> dict[str, Path]:
    path = tmp_path / "whole"
    path.write_bytes(content)
    return {UPLOADED: path}


async def recordings(log: AudioLog, before: datetime) -> list[tuple[UUID, list[str]]]:
    return [found async for found in log.kept.recordings(before)]


@pytest.mark.parametrize("in_store", [False, True], ids=["folder", "store"])
async def test_a_kept_file_is_read_opened_and_removed(
    tmp_path: Path, object_server: ObjectServer, in_store: bool
) -> None:
    log = AudioLog(tmp_path / "log", object_server.fresh() if in_store else None)
    kept, recording = log.kept, (ORGANIZATION, HASH)
    missing = kept.file(*recording, UPLOADED)
    assert await missing.find() is None
    with pytest.raises(FileNotFoundError):
        async with missing.open():
            pass
    assert await kept.open(*recording, UPLOADED) is None
    async with kept.local(*recording, UPLOADED) as path:
        assert path is None
    files = whole(tmp_path)
    assert await kept.send(*recording, files) is in_store
    # A transaction may be repeated.
    for _ in range(2):
        await kept.keep(*recording, files)
    facts = await kept.file(*recording, UPLOADED).find()
    assert facts is not None
    assert facts.size_bytes == len(CONTENT)
    assert abs(facts.modified_at - datetime.now(UTC).timestamp()) < 3600
    async with kept.file(*recording, UPLOADED).open() as reader:
        start = await reader.read(10)
        await reader.seek(BLOCK_BYTES - 5)
        across = [await reader.read(5), await reader.read(5)]
        await reader.seek(len(CONTENT) - 7)
        assert (start, b"".join(across)) == (CONTENT[:10], CONTENT[BLOCK_BYTES - 5 : BLOCK_BYTES + 5])
        assert (await reader.read(100), await reader.read(100)) == (b"the end", b"")
    async with kept.local(*recording, UPLOADED) as path:
        assert path is not None
        assert path.read_bytes() == CONTENT
    if in_store:
        assert not files_on(tmp_path / "log")
    opened = await kept.open(*recording, UPLOADED)
    assert opened is not None
    assert await kept.measure(*recording) == (1, len(CONTENT))
    (tmp_path / "old").write_bytes(b"x")
    await kept.send(*recording, {"playback-0.json": tmp_path / "old"})
    await kept.keep(*recording, {"playback-0.json": tmp_path / "old"})
    await kept.remove_others(*recording, "playback-", ["playback-1.json"])
    assert await kept.measure(*recording) == (1, len(CONTENT))
    # What this machine decoded is of the recording too.
    log.pcm(*recording).parent.mkdir(parents=True, exist_ok=True)
    log.pcm(*recording).write_bytes(b"pcm")
    assert await kept.measure(*recording) == (2, len(CONTENT) + 3)
    for _ in range(2):
        await kept.remove(*recording)
    assert await kept.measure(*recording) == (0, 0)
    with opened:
        assert opened.read() == CONTENT
    if in_store:
        with pytest.raises(FileNotSent):
            await kept.keep(*recording, whole(tmp_path))


async def test_a_recording_that_is_there_is_not_sent_again(tmp_path: Path, object_server: ObjectServer) -> None:
    kept, other = (AudioLog(tmp_path, object_server.fresh()).kept for _ in range(2))
    await kept.send(ORGANIZATION, HASH, whole(tmp_path, b"as long"))
    # No other bytes have this hash.
    await kept.send(ORGANIZATION, HASH, whole(tmp_path, b"AS LONG"))
    async with kept.file(ORGANIZATION, HASH, UPLOADED).open() as reader:
        assert await reader.read(100) == b"as long"
    assert await other.file(ORGANIZATION, HASH, UPLOADED).find() is None


async def test_recordings_are_listed_by_organization_unless_a_file_is_new(
    tmp_path: Path, object_server: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.audio.object_files.LISTED_AT_ONCE", 2)
    store = object_server.fresh()
    log, hashes = AudioLog(tmp_path, store), [f"{number:064x}" for number in range(3)]
    for organization, file_hash in [(ORGANIZATION, hashes[0]), *[(OTHER, file_hash) for file_hash in hashes]]:
        await log.kept.send(organization, file_hash, {**whole(tmp_path, b"x"), "playback-1.json": tmp_path / "whole"})
    await store.put("somebody/elses", tmp_path / "whole")
    await store.put(f"{OTHER}/ab/no hash/original", tmp_path / "whole")
    soon = datetime.now(UTC) + timedelta(hours=1)
    assert await recordings(log, soon) == [(ORGANIZATION, [hashes[0]]), (OTHER, hashes[:2]), (OTHER, hashes[2:])]
    assert not [known for _, listed in await recordings(log, soon - timedelta(hours=2)) for known in listed]
    assert await recordings(AudioLog(tmp_path), soon) == []


async def test_a_copy_keeps_the_reserve_of_the_disk_and_leaves_nothing(
    tmp_path: Path, object_server: ObjectServer
) -> None:
    store = object_server.fresh(1)
    await AudioLog(tmp_path / "log", store).kept.send(ORGANIZATION, HASH, whole(tmp_path))
    full = AudioLog(tmp_path / "log", store, reserve_bytes=2**60)
    with pytest.raises(DiskFull):
        await full.kept.open(ORGANIZATION, HASH, UPLOADED)
    with pytest.raises(DiskFull):
        async with full.kept.local(ORGANIZATION, HASH, UPLOADED):
            pass
    with object_server.gone(), pytest.raises(StoreUnavailable):
        async with AudioLog(tmp_path / "log", store).kept.local(ORGANIZATION, HASH, UPLOADED):
            pass
    assert not files_on(tmp_path / "log")

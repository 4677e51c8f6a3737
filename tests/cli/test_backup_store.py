"""The objects of a system go into a backup and back into an empty store, all of them or none."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

import pytest

from cli.backup_store import RestoredObjects, copy_objects, store_of_settings, store_of_system
from cli.findings import State
from cli.home import Home
from cli.settings import BadSettings
from cli.system_checks import check_store
from server.audio import ObjectStore, StoredObject, StoreUnavailable
from tests.object_stores import BUCKET, ObjectServer

RECORDING, SOUND = "o/ab/hash/original", "o/ab/hash/playback-1.webm"


async def keys(store: ObjectStore) -> list[str]:
    return [found.key async for found in store.list_below()]


def file(folder: Path, path: str, content: bytes) -> Path:
    made = folder / path
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_bytes(content)
    return made


async def test_objects_are_copied_with_their_digests_and_what_is_there_already_or_not_ours_is_passed_over(
    tmp_path: Path, object_server: ObjectServer
) -> None:
    store = object_server.fresh()
    for key in (RECORDING, SOUND, "o/ab/hash/somebody-elses", "o/cd/hash/original"):
        await store.put(key, file(tmp_path, "sent", key.encode()))
    backup = tmp_path / "backup"
    file(backup, "audio/o/cd/hash/original", b"from the folder")
    copied = [found async for found in copy_objects(store, backup)]
    assert [(found.path, found.bytes, found.sha256) for found in copied] == [
        (f"audio/{key}", len(key), hashlib.sha256(key.encode()).hexdigest()) for key in (RECORDING, SOUND)
    ]
    assert (backup / "audio" / RECORDING).read_bytes() == RECORDING.encode()
    assert (backup / "audio/o/cd/hash/original").read_bytes() == b"from the folder"
    assert not (backup / "audio/o/ab/hash/somebody-elses").exists()


async def test_live_meetings_are_copied_as_they_become_whole(
    tmp_path: Path, object_server: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, backup = object_server.fresh(), tmp_path / "backup"
    segment, track, whole = (
        f"o/ab/hash/{name}" for name in ("live-0000000001-0000000000", "track-0.log", "live-whole")
    )
    await store.put_bytes(segment, b"segment")
    await store.put_bytes("o/ab/running/track-0.log", b"shorter")
    # What this disk has may be from before another machine took the meeting up.
    file(backup, f"audio/{track}", b"stale")
    file(backup, "audio/o/ab/running/track-0.log", b"of this disk")
    fetch = ObjectStore.fetch

    async def become_whole(self: ObjectStore, stored: StoredObject, target: BinaryIO) -> None:
        if stored.key == segment:
            await store.put_bytes(track, b"all of it")
            await store.put_bytes(whole, b"{}")
            await store.delete([segment])
        await fetch(self, stored, target)

    monkeypatch.setattr(ObjectStore, "fetch", become_whole)
    copied = [found async for found in copy_objects(store, backup)]
    assert sorted(found.path for found in copied) == [f"audio/{whole}", f"audio/{track}"]
    assert (backup / "audio" / track).read_bytes() == b"all of it"
    assert not (backup / "audio" / segment).exists()
    assert (backup / "audio/o/ab/running/track-0.log").read_bytes() == b"of this disk"


async def test_a_restore_moves_recordings_into_the_store_and_undoes_it(
    tmp_path: Path, object_server: ObjectServer
) -> None:
    store = object_server.fresh()
    restored = RestoredObjects(store)
    assert not await restored.holds_any()
    others = [f"audio/o/ab/hash/{name}" for name in ("holder-1", "track-0.log", "up-to-date.json")]
    for path in (f"audio/{RECORDING}", f"audio/{SOUND}", *others, "secrets/original"):
        made = file(tmp_path, path, b"content")
        await restored.take(tmp_path, path)
        assert made.exists() == (path.startswith("secrets") or "holder" in path)
    assert await keys(store) == [RECORDING, SOUND, "o/ab/hash/track-0.log"]
    assert await restored.holds_any()
    await restored.undo()
    assert await keys(store) == []


async def test_the_store_of_a_system_is_the_one_it_was_started_with(
    tmp_path: Path, object_server: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "data")
    home.prepare()
    monkeypatch.setenv("MEETRA_AUDIO_STORE_PATIENCE_S", "1")
    assert (store_of_system(home), store_of_settings(), await check_store(home)) == (None, None, [])
    home.audio_store_file.write_text("\n")
    assert store_of_system(home) is None
    home.audio_store_file.write_text(f"s3://{BUCKET}/here\n")
    found = store_of_system(home)
    assert found is not None
    assert found.url == f"s3://{BUCKET}/here"
    assert [finding.state for finding in await check_store(home)] == [State.GOOD]
    with object_server.gone():
        (away,) = await check_store(home)
    assert (away.about, away.state) == ("object store", State.WRONG)
    monkeypatch.setenv("MEETRA_AUDIO_STORE", "ftp://elsewhere")
    with pytest.raises(BadSettings, match="MEETRA_AUDIO_STORE"):
        store_of_settings()
    monkeypatch.setenv("MEETRA_AUDIO_STORE", "s3://no-such-bucket/x")
    store = store_of_settings()
    assert store is not None
    with pytest.raises(StoreUnavailable):
        await RestoredObjects(store).holds_any()

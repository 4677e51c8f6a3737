"""The objects of a system go into a backup and back into an empty store, all of them or none."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cli.backup_store import RestoredObjects, copy_objects, store_of_settings, store_of_system
from cli.findings import State
from cli.home import Home
from cli.settings import BadSettings
from cli.system_checks import check_store
from server.audio import ObjectStore, StoreUnavailable
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


async def test_a_restore_moves_recordings_into_the_store_and_undoes_it(
    tmp_path: Path, object_server: ObjectServer
) -> None:
    store = object_server.fresh()
    restored = RestoredObjects(store)
    assert not await restored.holds_any()
    for path in (f"audio/{RECORDING}", f"audio/{SOUND}", "audio/o/ab/hash/track-0.log", "secrets/original"):
        made = file(tmp_path, path, b"content")
        await restored.take(tmp_path, path)
        assert made.exists() == (path.startswith("secrets") or "track" in path)
    assert await keys(store) == [RECORDING, SOUND]
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

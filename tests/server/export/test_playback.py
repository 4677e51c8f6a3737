"""The files of a meeting's playable sound: kept with the recording, whole or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from server.audio import AudioLog, KeptFiles
from server.disk import DiskReserve
from server.export import playback
from server.export.playback import PEAKS, SOUND
from server.fair_slots import FairSlots

ORGANIZATION, HASH = UUID(int=1), "ab" * 32
MADE = {"duration_ms": 3000, "period_ms": 50}


def work_folder(folder: Path, sound: bytes) -> Path:
    """A folder with what the encoder made."""
    work = folder / f"work-{sound.decode()}"
    work.mkdir()
    (work / SOUND).write_bytes(sound)
    (work / PEAKS).write_bytes(b"\0\xff")
    return work


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("playback-*.*")}


async def replace(kept: KeptFiles, folder: Path, facts: str, times: int = 1) -> None:
    files = playback._name_files(folder, facts, MADE)
    for _ in range(times):
        await playback._replace(kept, ORGANIZATION, HASH, files)


async def test_what_is_kept_again_stays_in_place_of_what_was_there(tmp_path: Path) -> None:
    kept = AudioLog(tmp_path / "log").kept
    await replace(kept, work_folder(tmp_path, b"old"), "playback-0.json")
    # A transaction may be repeated.
    await replace(kept, work_folder(tmp_path, b"new"), "playback-1.json", times=2)
    found = await playback._read(kept, ORGANIZATION, HASH, "playback-1.json")
    assert found is not None
    read = []
    for kept_file in (found.sound, found.peaks):
        async with kept_file.open() as file:
            read.append(await file.read(100))
    assert read == [b"new", b"\0\xff"]
    assert (found.duration_ms, found.period_ms) == (3000, 50)
    assert names(tmp_path / "log") == {"playback-1.json", "playback-1.webm", "playback-1.u8"}


async def test_what_breaks_off_is_not_taken_for_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, unlink = AudioLog(tmp_path / "log").kept, Path.unlink
    await replace(kept, work_folder(tmp_path, b"first"), "playback-2.json")

    def killed_after_one(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok)
        raise OSError("killed")

    monkeypatch.setattr(Path, "unlink", killed_after_one)
    with pytest.raises(OSError, match="killed"):
        await replace(kept, work_folder(tmp_path, b"second"), "playback-1.json")
    for facts in ("playback-1.json", "playback-2.json"):
        assert await playback._read(kept, ORGANIZATION, HASH, facts) is None


async def test_a_pause_takes_no_room_while_the_sound_is_made(tmp_path: Path) -> None:
    pause, word = bytes(1 << 20), b"\1\0" * 1000

    async def pcm() -> AsyncIterator[bytes]:
        for data in (word, *[pause] * 20, word, pause):
            yield data

    target = tmp_path / "track-0"
    # It asks no database.
    made = playback.Playback(AudioLog(tmp_path), cast(Any, None), FairSlots(1), DiskReserve(tmp_path, 0))
    await made._write(target, pcm())
    assert target.read_bytes() == word + pause * 20 + word + pause
    assert target.stat().st_blocks * 512 < len(pause)

"""The files of a meeting's playable sound: moved beside the recording, whole or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from server.audio import AudioLog
from server.disk import DiskReserve
from server.export import playback
from server.export.playback import PEAKS, SOUND
from server.fair_slots import FairSlots

MADE = {"duration_ms": 3000, "period_ms": 50}


def work_folder(folder: Path, sound: bytes) -> Path:
    """A folder with what the encoder made."""
    work = folder / f"work-{sound.decode()}"
    work.mkdir()
    (work / SOUND).write_bytes(sound)
    (work / PEAKS).write_bytes(b"\0\xff")
    return work


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("playback-*")}


def test_what_is_moved_again_stays(tmp_path: Path) -> None:
    facts, work = tmp_path / "playback-1.json", work_folder(tmp_path, b"new")
    (tmp_path / "playback-0.json").write_text("{}")
    (tmp_path / "playback-0.webm").write_bytes(b"old")
    for _ in range(2):
        playback._move(work, facts, MADE)
        found = playback._read(facts)
        assert found is not None
        assert (found.sound.read_bytes(), found.peaks.read_bytes()) == (b"new", b"\0\xff")
        assert (found.duration_ms, found.period_ms) == (3000, 50)
        assert names(tmp_path) == {"playback-1.json", "playback-1.webm", "playback-1.u8"}


def test_what_breaks_off_is_not_taken_for_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = tmp_path / "playback-1.json"
    playback._move(work_folder(tmp_path, b"first"), facts, MADE)
    unlink = Path.unlink

    def killed_after_one(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", killed_after_one)
    with pytest.raises(KeyboardInterrupt):
        playback._move(work_folder(tmp_path, b"second"), facts, MADE)
    assert playback._read(facts) is None


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

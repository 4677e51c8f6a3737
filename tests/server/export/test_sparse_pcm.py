"""Decoded sound on disk: its samples as they are, its pauses without room."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.disk import DiskFull, DiskReserve
from server.export.sparse_pcm import end_pcm, write_pcm

PAUSE, WORD = bytes(1 << 20), b"\1\0" * 1000


def test_pauses_are_read_as_silence_and_take_no_room(tmp_path: Path) -> None:
    target = tmp_path / "pcm"
    with target.open("wb") as file:
        for data in (WORD, PAUSE, WORD, PAUSE):
            write_pcm(file, data, None)
        end_pcm(file)
    assert target.read_bytes() == WORD + PAUSE + WORD + PAUSE
    assert target.stat().st_blocks * 512 < len(PAUSE)


def test_the_reserve_of_a_disk_stays_free_of_samples_but_not_of_pauses(tmp_path: Path) -> None:
    disk = DiskReserve(tmp_path, 1 << 62)
    with (tmp_path / "pcm").open("wb") as file:
        write_pcm(file, PAUSE, disk)
        with pytest.raises(DiskFull):
            write_pcm(file, WORD, disk)

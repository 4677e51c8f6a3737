"""A full disk is told apart from every other fault of a file."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from server.disk import DiskFull, DiskReserve, detect_full_disk, free_bytes


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_is_no_fault_of_what_is_written(code: int) -> None:
    with pytest.raises(DiskFull) as raised, detect_full_disk():
        raise OSError(code, "no room")
    assert isinstance(raised.value.__cause__, OSError)
    assert not isinstance(raised.value, OSError)


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "broken"), PermissionError(errno.EACCES, "no"), OSError(), ValueError()]
)
def test_whatever_else_happens_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, detect_full_disk():
        raise error
    assert raised.value is error


def test_a_reserve_stays_free_beside_what_is_to_come(tmp_path: Path) -> None:
    DiskReserve(tmp_path, 0).require()
    # The folder is made with the first recording.
    DiskReserve(tmp_path / "yet" / "to be made", 0).require(1)
    for reserve_bytes, more_bytes in ((2**60, 0), (0, 2**60)):
        with pytest.raises(DiskFull, match=f"{more_bytes} are to come, {reserve_bytes} stay free"):
            DiskReserve(tmp_path, reserve_bytes).require(more_bytes)


def test_the_disk_of_a_folder_that_is_yet_to_be_made_is_known(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "a" / "b") > 0

"""A full disk is told apart from every other fault of a file."""

from __future__ import annotations

import errno

import pytest

from server.disk import DiskFull, detect_full_disk


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

"""A download in parts: its bytes are counted and hashed, also those of an attempt before, and never too many."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.catalogue.part_file import PartFile

WHOLE = bytes(range(100))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 100), max_size=4))
def test_an_interrupted_download_is_the_same_file_in_the_end(tmp_path: Path, cuts: list[int]) -> None:
    path = tmp_path / "folder" / "file.part"
    path.unlink(missing_ok=True)
    edges = [0, *sorted(cuts), 100]
    for start, end in pairwise(edges):
        with PartFile(path, 100) as part:
            assert part.length == start
            assert part.append(WHOLE[start:end])
            part.sync()
    with PartFile(path, 100) as part:
        assert (part.length, part.sha256) == (100, hashlib.sha256(WHOLE).hexdigest())
        assert part.git_sha1 == hashlib.sha1(b"blob 100\0" + WHOLE, usedforsecurity=False).hexdigest()
    assert path.read_bytes() == WHOLE


def test_no_byte_more_than_announced_is_written(tmp_path: Path) -> None:
    path = tmp_path / "file.part"
    with PartFile(path, 10) as part:
        assert part.append(bytes(10))
        assert not part.append(b"x")
        assert not part.append(bytes(1000))
    assert path.stat().st_size == 10


def test_more_bytes_than_the_file_has_are_another_file(tmp_path: Path) -> None:
    path = tmp_path / "file.part"
    path.write_bytes(bytes(11))
    with PartFile(path, 10) as part:
        assert part.length == 0
        assert part.append(b"right")
        part.sync()
    assert path.read_bytes() == b"right"


def test_a_restart_forgets_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file.part"
    with PartFile(path, 10) as part:
        part.append(b"wrong")
        part.restart()
        assert (part.length, part.sha256) == (0, hashlib.sha256(b"").hexdigest())
        part.append(b"right")
    assert path.read_bytes() == b"right"

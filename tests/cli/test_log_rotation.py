"""Logs stay small while their writers go on writing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.log_rotation import OLD_LOGS, rotate_logs
from privacy import open_private_log
from tests.privacy.modes import modes


def test_a_writer_goes_on_in_the_emptied_log_and_the_oldest_goes(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    with os.fdopen(open_private_log(log), "wb", buffering=0) as writing:
        for number in range(OLD_LOGS + 3):
            writing.write(b"%d\n" % number * 100)
            rotate_logs(tmp_path, max_bytes=199)
            writing.write(b"after %d\n" % number)
    assert log.read_text() == f"after {OLD_LOGS + 2}\n"
    assert [(tmp_path / f"api.log.{age}").read_text().split("\n")[-2] for age in range(1, OLD_LOGS + 1)] == [
        str(OLD_LOGS + 2 - age + 1) for age in range(1, OLD_LOGS + 1)
    ]
    assert modes(tmp_path) == dict.fromkeys(["api.log", *(f"api.log.{age}" for age in range(1, OLD_LOGS + 1))], 0o600)


def test_small_logs_other_files_and_links_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "small.log").write_text("x" * 10)
    (tmp_path / "notes").write_text("x" * 1000)
    (tmp_path / "link.log").symlink_to(tmp_path / "notes")
    rotate_logs(tmp_path, max_bytes=10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.log", "notes", "small.log"]
    assert (tmp_path / "notes").read_text() == "x" * 1000


@pytest.mark.children
def test_a_process_that_inherited_its_log_is_not_disturbed(tmp_path: Path) -> None:
    code = "import sys\nfor line in sys.stdin:\n    print(line.strip() * 100, flush=True)\n"
    with (
        os.fdopen(open_private_log(tmp_path / "program.log"), "wb") as log,
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=log, text=True) as program,
    ):
        assert program.stdin is not None
        program.stdin.write("a\n")
        program.stdin.flush()
        while (tmp_path / "program.log").stat().st_size < 100:
            pass
        rotate_logs(tmp_path, max_bytes=50)
        program.stdin.write("b\n")
        program.stdin.close()
    assert (tmp_path / "program.log.1").read_text() == "a" * 100 + "\n"
    assert (tmp_path / "program.log").read_text() == "b" * 100 + "\n"

"""What `meetra doctor` says of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.findings import State
from cli.home import Home
from cli.machine_checks import (
    check_data_folder,
    check_disk,
    check_gpu,
    check_memory,
    check_models,
    check_programs,
    gpu_findings,
)
from server.config import ServerSettings
from tests.privacy.modes import open_to_others

RESERVE = ServerSettings.model_fields["disk_reserve_bytes"].default


def test_what_the_tests_run_with_is_installed() -> None:
    assert check_programs().state is State.GOOD
    models = check_models()
    assert models.state is State.GOOD, models
    assert "right digests" in models.text


def test_a_missing_program_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    found = check_programs()
    assert (found.state, found.fix) == (State.WRONG, "make install")


def test_little_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 512 * 1024}
    monkeypatch.setattr(os, "sysconf", lambda name: pages[name])
    found = check_memory()
    assert found.state is State.ADVICE
    assert found.text.startswith("2 GiB of memory")


def test_a_data_folder_that_others_read_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path / "data")
    assert check_data_folder(home).state is State.GOOD
    home.prepare()
    assert check_data_folder(home).state is State.GOOD
    home.root.chmod(0o755)
    assert open_to_others(home.root)
    assert check_data_folder(home).state is State.ADVICE


@pytest.mark.parametrize(
    ("free", "state"),
    [(RESERVE - 1, State.WRONG), (RESERVE + 1, State.ADVICE), (RESERVE + 11 * 1024**3, State.GOOD)],
    ids=["full", "nearly full", "room"],
)
def test_a_full_disk_is_told_before_uploads_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: State
) -> None:
    monkeypatch.setattr("cli.machine_checks.free_bytes", lambda _: free)
    assert check_disk(Home(tmp_path)).state is state


def test_what_a_gpu_lacks_is_told_with_what_to_do() -> None:
    problem = {"text": "the NVIDIA driver 535.230.02 is too old", "fix": "install driver 580 or newer", "severe": True}
    told = {"summary": "NVIDIA H200 with 140 GiB", "problems": [problem, {**problem, "severe": False}]}
    wrong, advice = gpu_findings(told)
    assert (wrong.state, advice.state) == (State.WRONG, State.ADVICE)
    assert (wrong.text, wrong.fix) == (problem["text"], problem["fix"])
    assert gpu_findings({**told, "problems": []})[0].state is State.GOOD


def test_this_machine_says_of_its_gpu_what_can_be_said() -> None:
    for found in check_gpu():
        assert found.about == "GPU"
        assert found.text
        assert found.fix or found.state is State.GOOD

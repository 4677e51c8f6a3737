"""`python -m inference.gpu`: what it prints, and what it makes of versions."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from inference.gpu import __main__ as command
from inference.gpu import cuda_libraries
from inference.gpu.cuda_libraries import find_cublas, load_cublas
from inference.gpu.nvml import NvmlFailed
from tests.inference.gpu.test_needs import READY, TORCH


@pytest.mark.parametrize(
    ("names", "oldest"),
    [(["sm_75", "sm_80", "sm_90a", "compute_120"], (7, 5)), (["sm_100", "sm_120"], (10, 0)), ([], None)],
    ids=["mixed", "newest", "none"],
)
def test_the_oldest_card_with_code_is_found(names: list[str], oldest: tuple[int, int] | None) -> None:
    assert command.oldest_capability(names) == oldest


def test_a_compiler_is_looked_for_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not command.has_compiler()
    (tmp_path / "Python.h").touch()
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    assert not command.has_compiler()
    (tmp_path / "gcc").touch(mode=0o755)
    assert command.has_compiler()


def test_versions_are_numbers() -> None:
    assert [command.version_numbers(text) for text in ("13.0", "12.8.1", "13")] == [(13, 0), (12, 8), (13, 0)]


def test_problems_are_printed_with_their_fix(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from dataclasses import replace

    monkeypatch.setattr(command, "look", lambda: replace(READY, torch=replace(TORCH, cudnn=None), whisper_gpus=0))
    monkeypatch.setattr(sys, "argv", ["inference.gpu"])
    assert command.main() == 1
    assert "wrong: torch 2.13.0+cu130 finds no cuDNN\n  make gpu" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["inference.gpu", "--json"])
    assert command.main() == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["severe"]
    monkeypatch.setattr(command, "look", lambda: READY)
    assert command.main() == 0


def test_a_driver_that_does_not_answer_is_a_finding(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def fail() -> None:
        raise NvmlFailed("nvmlInit_v2: code 18")

    monkeypatch.setattr(command, "look", fail)
    monkeypatch.setattr(sys, "argv", ["inference.gpu"])
    assert command.main() == 1
    assert "the NVIDIA driver does not answer: nvmlInit_v2: code 18" in capsys.readouterr().out


def test_cublas_is_found_where_its_wheel_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_cublas((str(tmp_path),)) is None
    library = tmp_path / "nvidia" / "cublas" / "lib" / "libcublas.so.12"
    library.parent.mkdir(parents=True)
    library.touch()
    assert find_cublas(("", str(tmp_path))) == library
    monkeypatch.setattr(cuda_libraries, "find_cublas", lambda: None)
    load_cublas.cache_clear()
    assert load_cublas() is False
    load_cublas.cache_clear()

"""``meetra models`` is the inference side's command, with its exit code."""

from __future__ import annotations

import pytest

from cli.models import run_models

pytestmark = pytest.mark.children


def test_arguments_and_exit_code_pass_through(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_models(["--help"]) == 0
    assert "usage: meetra models" in capfd.readouterr().out
    assert run_models(["no-such-verb"]) == 2
    assert "no-such-verb" in capfd.readouterr().err

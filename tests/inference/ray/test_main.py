"""``python -m inference.ray`` says what is missing, and hands its servers their settings alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from inference.ray import __main__ as program
from inference.ray.__main__ import settings_of_servers
from tests.recordings import ROOT


def test_servers_are_given_their_own_settings_and_nothing_else() -> None:
    given = {
        "MEETRA_INFERENCE_DEVICE": "cuda",
        "MEETRA_INFERENCE_LISTEN": "127.0.0.1:50061",
        "MEETRA_INFERENCE_METRICS_LISTEN": "127.0.0.1:9464",
        "MEETRA_RAY_CPUS": "4",
        "RAY_AUTH_TOKEN": "secret",
        "PATH": "/bin",
    }
    assert settings_of_servers(given) == {"MEETRA_INFERENCE_DEVICE": "cuda"}


def test_without_ray_it_says_how_to_install_it() -> None:
    program = "import runpy, sys; sys.modules['ray'] = None; runpy.run_module('inference.ray', run_name='__main__')"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2, ended.stderr
    assert "requirements/ray.txt" in ended.stderr


def test_a_setting_that_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    # Whether Ray is here is no matter: settings are read before it is loaded.
    monkeypatch.setattr(program, "ray_is_installed", lambda: True)
    monkeypatch.setenv("MEETRA_RAY_PORTS", "many")
    monkeypatch.setenv("MEETRA_INFERENCE_MAX_SESSIONS", "8")
    assert program.main([]) == 2
    assert "MEETRA_RAY_PORTS" in capsys.readouterr().err
    monkeypatch.setenv("MEETRA_RAY_PORTS", "")
    monkeypatch.setenv("MEETRA_RAY_MAX_REPLICAS", "1")
    monkeypatch.setenv("MEETRA_RAY_MIN_REPLICAS", "2")
    assert program.main([]) == 2
    assert "MEETRA_RAY_MAX_REPLICAS is less" in capsys.readouterr().err
    monkeypatch.setenv("MEETRA_RAY_MIN_REPLICAS", "1")
    monkeypatch.setenv("MEETRA_INFERENCE_MAX_SESSIONS", "0")
    assert program.main([]) == 2
    assert "MEETRA_INFERENCE_MAX_SESSIONS" in capsys.readouterr().err

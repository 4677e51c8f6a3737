"""Envoy itself accepts the configuration."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gateway import GatewaySettings, envoy_binary, render

pytestmark = pytest.mark.system


def test_envoy_accepts_the_rendered_configuration(tmp_path: Path) -> None:
    config = tmp_path / "envoy.yaml"
    config.write_text(render(GatewaySettings("127.0.0.1", 10000, "127.0.0.1", 10001, tmp_path / "access.log")))
    checked = subprocess.run(
        [envoy_binary(), "--mode", "validate", "-c", config], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_envoy_accepts_origins_of_pages(tmp_path: Path) -> None:
    config = tmp_path / "envoy.yaml"
    origins = ("https://app.example", "http://localhost:3000")
    settings = GatewaySettings("127.0.0.1", 10000, "127.0.0.1", 10001, tmp_path / "access.log", origins)
    config.write_text(render(settings))
    command = [str(envoy_binary()), "--mode", "validate", "-c", str(config)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert all(origin in config.read_text() for origin in origins)

"""The rendered configuration: Envoy itself accepts it, and nothing of it is left open."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import ApiAddress, GatewaySettings, command, envoy_binary, render
from gateway.origins import origin_regex
from monitoring import Collector

ONE = (ApiAddress("127.0.0.1", 10001),)
SEVERAL = (ApiAddress("10.0.0.1"), ApiAddress("api.internal"), ApiAddress("fd00::2"))


@pytest.mark.system
def test_envoy_accepts_the_rendered_configuration(tmp_path: Path) -> None:
    config = tmp_path / "envoy.yaml"
    config.write_text(render(GatewaySettings("127.0.0.1", 10000, ONE, tmp_path / "access.log")))
    checked = subprocess.run(
        [envoy_binary(), "--mode", "validate", "-c", config], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.system
def test_envoy_accepts_origins_of_pages_and_several_apis(tmp_path: Path) -> None:
    config = tmp_path / "envoy.yaml"
    origins = ("https://app.example", "http://localhost:3000")
    settings = GatewaySettings(
        "127.0.0.1",
        10000,
        SEVERAL,
        tmp_path / "access.log",
        origins,
        admin_socket=tmp_path / "admin.sock",
        json_log=True,
        collector=Collector("::1", 4317, True, 10),
    )
    config.write_text(render(settings))
    validate = [str(envoy_binary()), "--mode", "validate", "-c", str(config)]
    checked = subprocess.run(validate, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert all(origin_regex(origin) in config.read_text() for origin in origins)


def test_every_place_of_the_template_is_filled(tmp_path: Path) -> None:
    settings = GatewaySettings("0.0.0.0", 10000, (ApiAddress("api.internal", 10001),), tmp_path / "access.log")
    rendered = render(settings)
    assert "$" not in rendered
    for value in ("0.0.0.0", "10000", "api.internal", "10001", str(tmp_path / "access.log")):
        assert value in rendered


def test_administration_has_no_port_and_a_socket_for_its_own_user_where_one_is_named(tmp_path: Path) -> None:
    plain = GatewaySettings("127.0.0.1", 1, ONE, tmp_path / "log")
    assert "\nadmin: null\n" in render(plain)
    rendered = render(replace(plain, admin_socket=Path("/run/envoy.sock")))
    assert '\nadmin: {"address": {"pipe": {"path": "/run/envoy.sock", "mode": 384}}}\n' in rendered


def test_origins_are_listed_exactly_and_none_by_default(tmp_path: Path) -> None:
    plain = GatewaySettings("127.0.0.1", 1, ONE, tmp_path / "log")
    assert "allow_origin_string_match: []" in render(plain)
    rendered = render(replace(plain, cors_origins=("https://app.example", "http://localhost:3000")))
    assert '[{"exact": "https://app.example"}, {"exact": "http://localhost:3000"}]' in rendered


def test_each_envoy_has_a_base_id_of_its_own(tmp_path: Path) -> None:
    started = command(tmp_path / "envoy.yaml")
    assert started[1:3] == ["-c", str(tmp_path / "envoy.yaml")]
    assert "--use-dynamic-base-id" in started

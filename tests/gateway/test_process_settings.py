"""Settings of ``python -m gateway``: what Envoy would misread is refused with the name of the setting."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.process_settings import GatewayProcessSettings
from gateway.several_apis import ApiAddress


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", 'a", evil: "'),
        ("HOST", "gateway.example"),
        ("PORT", "tcp://10.0.0.1:8080"),
        ("PORT", "0"),
        ("API_HOST", 'api", type: "'),
        ("API_HOST", "a b"),
        ("API_HOST", "10.0.0.1,"),
        ("API_HOST", "10.0.0.1,10.0.0.1"),
        ("API_HOST", ",".join(f"10.0.0.{number}" for number in range(65))),
        ("API_HTTP_PORT", "70000"),
        ("CORS_ORIGINS", "https://app.example app.example"),
    ],
    ids=["quoted", "name", "url", "port-0", "quoted-api", "spaces", "empty", "twice", "65", "port-70000", "origin"],
)
def test_what_is_none_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"MEETRA_GATEWAY_{name}", value)
    with pytest.raises(ValidationError) as raised:
        GatewayProcessSettings()
    assert [error["loc"] for error in raised.value.errors()] == [(name.lower(),)]


def test_names_addresses_and_origins_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HOST": "::",
        "API_HOST": "meetra-api.meetings.svc.cluster.local",
        "CORS_ORIGINS": " https://App.example  https://*.example.com ",
    }.items():
        monkeypatch.setenv(f"MEETRA_GATEWAY_{name}", value)
    settings = GatewayProcessSettings()
    assert settings.api_host == "meetra-api.meetings.svc.cluster.local"
    assert settings.cors_origins == "https://app.example https://*.example.com"
    assert settings.probe_port is None


def test_several_apis_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEETRA_GATEWAY_API_HOST", "10.0.0.1, api.internal,fd00::2")
    monkeypatch.setenv("MEETRA_GATEWAY_API_PORT", "1")
    found = [ApiAddress(host, 1) for host in ("10.0.0.1", "api.internal", "fd00::2")]
    assert list(GatewayProcessSettings().apis) == found

"""The settings of inference on Ray."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from inference.ray.config import RaySettings, parse_ports


def test_ports_are_a_range_or_any() -> None:
    assert list(parse_ports("")) == [0]
    assert list(parse_ports("50100-50102")) == [50100, 50101, 50102]
    assert list(parse_ports("65535-65535")) == [65535]


@pytest.mark.parametrize(
    "setting", ["50100", "0-5", "5-4", "1-65536", "a-b", "1-2-3"], ids="one zero down high no three".split()
)
def test_what_is_no_range_of_ports_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="ports"):
        parse_ports(setting)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"MIN_REPLICAS": "3", "MAX_REPLICAS": "2"}, "MAX_REPLICAS is less"),
        ({"GROW_SHARE": "0.5", "SHRINK_SHARE": "0.5"}, "SHRINK_SHARE must be less"),
        ({"CA": "/ca.pem"}, "TLS_NAME is not set"),
        ({"PORTS": "many"}, "range of ports"),
        ({"METRICS_PORTS": "5-4"}, "the lower one first"),
        ({"METRICS_LISTEN": "9464"}, "give an address such as"),
        ({"MAX_REPLICAS": "257"}, "256"),
    ],
    ids=["bounds", "shares", "name", "ports", "metrics ports", "metrics address", "many"],
)
def test_settings_that_contradict_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"MEETRA_RAY_{name}", value)
    with pytest.raises(ValidationError, match=message):
        RaySettings()

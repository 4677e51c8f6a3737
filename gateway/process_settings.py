"""Settings of the gateway as a process of its own: ``python -m gateway``."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.origins import NoOrigin, parse_origin
from gateway.several_apis import ApiAddress

_NAME = re.compile(r"(?!-)[a-zA-Z0-9-]{1,63}(?:\.[a-zA-Z0-9-]{1,63})*\.?")
MAX_APIS = 64
Port = Annotated[int, Field(ge=1, le=65_535)]


def _address(host: str) -> str:
    """Return an IP address. Raises ValueError."""
    return str(ipaddress.ip_address(host))


def _name_or_address(host: str) -> str:
    """Return a name or an IP address. Raises ValueError."""
    if _NAME.fullmatch(host):
        return host
    return _address(host)


def _names_or_addresses(hosts: str) -> str:
    """Return names and IP addresses, separated by commas. Raises ValueError."""
    found = [_name_or_address(host.strip()) for host in hosts.split(",")]
    if len(set(found)) < len(found):
        raise ValueError("names one of them twice")
    if len(found) > MAX_APIS:
        raise ValueError(f"at most {MAX_APIS}; give more a name in DNS")
    return ",".join(found)


def _origins(origins: str) -> str:
    """Return origins in the form of browsers, separated by spaces. Raises ValueError."""
    try:
        return " ".join(map(parse_origin, origins.split()))
    except NoOrigin as error:
        raise ValueError(f"{error} is no origin such as https://app.example or https://*.example.com") from None


class GatewayProcessSettings(BaseSettings):
    """Each setting is read from ``MEETRA_GATEWAY_<NAME>``; GatewayLimits has the others of that prefix."""

    model_config = SettingsConfigDict(env_prefix="MEETRA_GATEWAY_", extra="ignore", frozen=True)

    host: Annotated[str, AfterValidator(_address)] = Field("127.0.0.1", description="address to listen on")
    port: Port = Field(8080, description="port to listen on")
    probe_port: Port | None = Field(None, description="port on which GET /ready is 200 once clients are served")
    api_host: Annotated[str, AfterValidator(_names_or_addresses)] = Field(
        "127.0.0.1",
        description="name or address of the API, or several, separated by commas; all addresses share the calls",
    )
    api_port: Port = Field(50051, description="port of the API's gRPC")
    api_socket_port: Port = Field(50052, description="port of the API's WebSockets")
    api_http_port: Port = Field(50053, description="port of the API's plain HTTP")
    cors_origins: Annotated[str, AfterValidator(_origins)] = Field(
        "", description="origins whose pages may call, separated by spaces"
    )
    token_keys: Path | None = Field(
        None, description="file with the public keys of tokens, a JSON Web Key Set; without it the API is asked"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="minimum level of log messages")

    @property
    def apis(self) -> tuple[ApiAddress, ...]:
        """Where each API listens."""
        ports = (self.api_port, self.api_socket_port, self.api_http_port)
        return tuple(ApiAddress(host, *ports) for host in self.api_host.split(","))

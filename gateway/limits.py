"""What the gateway's clients may hold, in number, memory and time."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

GIB = 1024**3
MIB = 1024**2


class GatewayLimits(BaseSettings):
    """Bounds over all clients, each read from ``MEETRA_GATEWAY_<NAME>``; envoy.yaml has those that nobody sets."""

    model_config = SettingsConfigDict(env_prefix="MEETRA_GATEWAY_", extra="ignore", frozen=True)

    connections: int = Field(4096, ge=1, description="connections of clients; one more is closed at once")
    streams: int = Field(
        2048, ge=1, description="live streams and event streams open at once, WebSockets apart; one more is 503"
    )
    # Envoy alone holds 30 MiB.
    memory_bytes: int = Field(
        GIB, ge=128 * MIB, description="Envoy's heap; near it, calls that hold most are cut, then new ones refused"
    )
    headers_s: float = Field(15.0, gt=0, description="from the start of a request to the end of its headers, seconds")
    quiet_connection_s: float = Field(120.0, gt=0, description="how long a connection without a call stays, seconds")
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=16,
        description="proxies in front whose X-Forwarded-For is believed",
    )
    quiet_call_s: float = Field(
        120.0, gt=0, description="how long nothing of a single call may be sent, answered or read, seconds"
    )
    longest_call_s: float = Field(600.0, gt=0, description="how long a single call may take in all, seconds")

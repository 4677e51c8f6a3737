"""The gateway: the configuration of Envoy."""

from gateway.limits import GatewayLimits
from gateway.origins import NoOrigin, parse_origin
from gateway.render import LOOPBACK, EnvoyMissing, GatewaySettings, command, envoy_binary, render
from gateway.several_apis import ApiAddress
from gateway.tls import CERTIFICATE, KEY, TlsFiles
from gateway.token_filter import render_token_filter

__all__ = [
    "CERTIFICATE",
    "KEY",
    "LOOPBACK",
    "ApiAddress",
    "EnvoyMissing",
    "GatewayLimits",
    "GatewaySettings",
    "NoOrigin",
    "TlsFiles",
    "command",
    "envoy_binary",
    "parse_origin",
    "render",
    "render_token_filter",
]

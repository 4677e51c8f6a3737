"""The gateway: the configuration of Envoy."""

from gateway.render import EnvoyMissing, GatewaySettings, command, envoy_binary, render

__all__ = ["EnvoyMissing", "GatewaySettings", "command", "envoy_binary", "render"]

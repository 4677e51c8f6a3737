"""The gateway: configuration of Envoy, and nothing else."""

from gateway.render import EnvoyMissing, GatewaySettings, command, envoy_binary, render

__all__ = ["EnvoyMissing", "GatewaySettings", "command", "envoy_binary", "render"]

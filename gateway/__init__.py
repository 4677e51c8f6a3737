"""The gateway: configuration of Envoy, and nothing else."""

from gateway.render import GatewaySettings, command, envoy_binary, render

__all__ = ["GatewaySettings", "command", "envoy_binary", "render"]

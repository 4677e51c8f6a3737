"""The gRPC services of the product."""

from server.api.serve import build_server, serve

__all__ = [
    "build_server",
    "serve",
]

"""The product's gRPC services."""

from server.api.serve import ApiDependencies, build_server, serve

__all__ = [
    "ApiDependencies",
    "build_server",
    "serve",
]

"""The gRPC services of the product."""

from server.api.serve import ApiDependencies, build_server, serve

__all__ = [
    "ApiDependencies",
    "build_server",
    "serve",
]

"""The product's gRPC services."""

from server.api.export_documents import RestDocuments
from server.api.serve import ApiDependencies, build_server, serve

__all__ = [
    "ApiDependencies",
    "RestDocuments",
    "build_server",
    "serve",
]

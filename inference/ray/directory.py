"""The directory: which inference servers take new sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from meetra.inference.v2 import directory_pb2, directory_pb2_grpc


class DirectoryServicer(directory_pb2_grpc.DirectoryServiceServicer):
    """See proto/meetra/inference/v2/directory.proto."""

    def __init__(self, addresses: Callable[[], Sequence[str]]) -> None:
        """
        Args:
            addresses: returns those of the servers that take new sessions.
        """
        self._addresses = addresses

    async def ListServers(  # noqa: N802 - the name in the proto
        self, request: directory_pb2.ListServersRequest, context: Any
    ) -> directory_pb2.ListServersResponse:
        """Return where sessions can be opened."""
        servers = [directory_pb2.InferenceServer(address=address) for address in self._addresses()]
        return directory_pb2.ListServersResponse(servers=servers)

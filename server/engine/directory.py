"""Ask a directory of inference servers where they are."""

from __future__ import annotations

import logging

from grpc import aio
from meetra.inference.v2 import directory_pb2, directory_pb2_grpc

from privacy import MutualTls
from server.engine.transport import open_channel
from server.inference_addresses import MAX_ADDRESSES, Address, Target, is_of_one_server

TIMEOUT_S = 5.0
log = logging.getLogger(__name__)


async def ask_directory(address: Address, tls: MutualTls | None) -> list[Target]:
    """Return the servers that take new sessions, as ``meetra.inference.v2.DirectoryService`` tells them.

    Args:
        address: where the directory is.
        tls: None for plain text. With TLS each server's certificate must have the directory's name.

    Raises OSError where it does not answer.
    """
    name = address.target.rpartition(":")[0].strip("[]")
    # A connection for each question: one every few seconds, and none that has to be noticed to be dead.
    async with open_channel(Target(address.target), tls, []) as channel:
        try:
            answer: directory_pb2.ListServersResponse = await directory_pb2_grpc.DirectoryServiceStub(
                channel
            ).ListServers(directory_pb2.ListServersRequest(), timeout=TIMEOUT_S)
        except aio.AioRpcError as error:
            raise OSError(f"the directory does not answer ({error.code().name})") from error
    told = [server.address for server in answer.servers[:MAX_ADDRESSES]]
    servers = [Target(place, name) for place in told if is_of_one_server(place)]
    if len(servers) < len(told):
        log.warning("the directory %s tells addresses that are none, %d of them", name, len(told) - len(servers))
    return servers

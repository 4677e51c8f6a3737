"""Headers of a call, through real gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest
from grpc import aio

from server.api.metadata import Context, content_encoding, declared_length, wants_head_only

Read = tuple[str, bool, int]


@pytest.fixture
async def reader() -> AsyncIterator[tuple[list[Read], aio.UnaryUnaryMultiCallable[bytes, bytes]]]:
    """What a server reads of its calls, and a call of it."""
    read: list[Read] = []

    async def call(_: bytes, context: Context) -> bytes:
        read.append((content_encoding(context), wants_head_only(context), declared_length(context)))
        return b""

    server = aio.server()
    methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {"Read": grpc.unary_unary_rpc_method_handler(call)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Headers", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield read, channel.unary_unary("/test.Headers/Read")
    await server.stop(0)


@pytest.mark.parametrize(
    ("metadata", "read"),
    [
        ((), ("", False, 0)),
        ((("content-encoding", "gzip"),), ("gzip", False, 0)),
        # Two headers are one list, as HTTP says; that the list is none of ours is for whoever decodes it.
        ((("content-encoding", "gzip"), ("content-encoding", "br")), ("gzip, br", False, 0)),
        ((("x-head-only", "true"),), ("", True, 0)),
        ((("accept-encoding", "gzip"), ("head-only", "true")), ("", False, 0)),
        ((("x-content-length", "9000000000"),), ("", False, 9_000_000_000)),
        *(((("x-content-length", value),), ("", False, 0)) for value in ("", "-1", "1.5", "1e9", "many", "9" * 19)),
        ((("x-content-length", "1"), ("x-content-length", "2")), ("", False, 0)),
    ],
)
async def test_what_is_in_the_headers_is_read(
    reader: tuple[list[Read], aio.UnaryUnaryMultiCallable[bytes, bytes]],
    metadata: tuple[tuple[str, str], ...],
    read: Read,
) -> None:
    heard, call = reader
    await call(b"", metadata=metadata)
    assert heard == [read]

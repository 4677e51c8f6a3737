"""Starts children under uvloop beside gRPC traffic, and prints how each ended as a JSON object, code to number.

``python -m tests.server.children_beside_traffic sandbox|loop N``. ``sandbox`` starts them as the server does, in a
process where gRPC came first and its fork handlers are on; ``loop`` as uvloop does, in one that imported the server
first.
"""

from __future__ import annotations

import asyncio
import collections
import json
import sys
from importlib import import_module
from typing import Any

import uvloop

CALLS_AT_ONCE = 4
PAYLOAD = b"x" * 20_000


async def by_sandbox(sandbox: Any) -> int:
    # What matters is over before it begins.
    async with sandbox.run("__hello__") as child:
        await child.stdout.read()
        code: int = await child.end()
    return code


async def by_loop() -> int:
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", ":", stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    await process.communicate()
    assert process.returncode is not None
    return process.returncode


async def main(way: str, children: int) -> None:
    if way == "loop":
        import_module("server")
    grpc = import_module("grpc")
    aio = import_module("grpc.aio")
    sandbox = import_module("server.sandbox")

    async def echo(request: bytes, _: object) -> bytes:
        await asyncio.sleep(0.001)
        return request

    server = aio.server()
    handler = grpc.method_handlers_generic_handler("t.T", {"Echo": grpc.unary_unary_rpc_method_handler(echo)})
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    ended = collections.Counter[int]()
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/t.T/Echo")

        async def traffic() -> None:
            while True:
                await call(PAYLOAD)

        busy = [asyncio.create_task(traffic()) for _ in range(CALLS_AT_ONCE)]
        for _ in range(children):
            ended[await (by_sandbox(sandbox) if way == "sandbox" else by_loop())] += 1
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
    await server.stop(0)
    print(json.dumps(ended))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))

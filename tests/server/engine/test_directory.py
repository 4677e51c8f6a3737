"""A directory tells where inference servers are; the client believes addresses alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from grpc import StatusCode, aio
from meetra.inference.v2 import directory_pb2, directory_pb2_grpc

from cli.free_port import free_port
from inference.api import TLS_SETTINGS, listen
from inference.ray.channel import ReplicaTls, open_channel
from inference.ray.directory import DirectoryServicer
from privacy import MutualTls
from server.engine import TLS_SETTINGS as CLIENT_SETTINGS
from server.engine import EngineBusy, inference_client
from server.engine.directory import ask_directory
from server.engine.inference_client import InferenceClient
from server.inference_addresses import Target, parse_addresses
from tests.certificates import needs_openssl, self_signed
from tests.server.engine.test_inference_client_several import PATIENCE_S, open_session, run
from tests.server.live.scripted_engine import ScriptedEngine, scripted_engine


@asynccontextmanager
async def directory(addresses: Sequence[str], port: int = 0, tls: MutualTls | None = None) -> AsyncIterator[int]:
    """A directory of these servers, which may change; its port."""
    server = aio.server()
    directory_pb2_grpc.add_DirectoryServiceServicer_to_server(DirectoryServicer(lambda: addresses), server)
    if tls is None:
        port = server.add_insecure_port(f"127.0.0.1:{port}")
    else:
        listen(server, f"127.0.0.1:{port}", tls)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def test_it_tells_addresses_and_what_is_none_is_passed_over() -> None:
    told = [
        "10.0.0.1:3",
        "[::1]:2",
        "engine:1",
        "unix:/run/engine",
        "directory://10.0.0.1:3",
        "10.0.0.1",
        "",
        "[::1]:0",
    ]
    async with directory(told) as port:
        (address,) = parse_addresses(f"directory://127.0.0.1:{port}")
        assert await ask_directory(address, None) == [Target("10.0.0.1:3", "127.0.0.1"), Target("[::1]:2", "127.0.0.1")]
    with pytest.raises(OSError, match="UNAVAILABLE"):
        await ask_directory(address, None)


@needs_openssl
async def test_with_tls_it_and_its_servers_have_its_name(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "server")
    client, client_key = self_signed(tmp_path, "client")
    tls = MutualTls.read(TLS_SETTINGS, certificate, key, client)
    mine = MutualTls.read(CLIENT_SETTINGS, client, client_key, certificate)
    assert mine is not None
    async with directory(["127.0.0.2:3"], free_port(), tls) as port:
        (address,) = parse_addresses(f"directory://localhost:{port}")
        assert await ask_directory(address, mine) == [Target("127.0.0.2:3", "localhost")]
        with pytest.raises(OSError, match="UNAVAILABLE"):
            await ask_directory(address, None)
        # As Ray's servers are looked at: by their address, and by the name in their certificates.
        for name, answers in (("localhost", True), ("elsewhere", False)):
            async with open_channel(f"127.0.0.1:{port}", ReplicaTls(mine, name)) as channel:
                call = directory_pb2_grpc.DirectoryServiceStub(channel).ListServers(
                    directory_pb2.ListServersRequest(), timeout=60
                )
                assert (await call.code() is StatusCode.OK) is answers, name


async def short_session(client: InferenceClient, engine: ScriptedEngine, not_at: ScriptedEngine) -> None:
    """A session at an engine, once the client knows that it is to go there, and no more to the other one."""
    while True:
        before = engine.opened, not_at.opened
        task = asyncio.create_task(run(client))
        while (engine.opened, not_at.opened) == before and not task.done():
            await asyncio.sleep(0.01)
        if engine.opened > before[0]:
            await (await engine.session()).conclude_when_told()
            return await task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_sessions_go_where_the_directory_says_also_while_it_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference_client, "ASK_DIRECTORY_EVERY_S", 0.02)
    monkeypatch.setattr(inference_client, "LOOK_EVERY_S", 0.02)
    addresses: list[str] = []
    async with scripted_engine() as (first, one), scripted_engine() as (second, other), asyncio.timeout(PATIENCE_S):
        async with directory(addresses) as port:
            client = InferenceClient(f"directory://127.0.0.1:{port}")
            with pytest.raises(EngineBusy, match="no inference server"):
                await run(client)
            assert await client.ask_capabilities(0.1) is None
            # One that is gone again before it was reached.
            addresses[:] = ["127.0.0.1:1"]
            reached = asyncio.create_task(client.wait_until_reachable())
            await asyncio.sleep(0.1)
            assert not reached.done()
            addresses[:] = [one]
            await reached
            task = await open_session(client, first)
            session = await first.session()
            addresses[:] = [other]
            await short_session(client, second, not_at=first)
        # The first session goes on where it is, and new ones go where the directory said last.
        await short_session(client, second, not_at=first)
        await session.conclude_when_told()
        await task
        await client.close()

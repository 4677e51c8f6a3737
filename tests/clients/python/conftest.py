"""The crooked server, and a client of it that does not wait long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from meetra_client import MeetraClient, Patience
from tests.clients.python.any_call_server import AnyCallServer, start
from tests.clients.python.server import CrookedServer


@pytest.fixture
async def crooked() -> AsyncIterator[tuple[CrookedServer, str]]:
    """The server, and its address."""
    servicer = CrookedServer()
    server, port = await servicer.start()
    yield servicer, f"http://127.0.0.1:{port}"
    await server.stop(0)


@pytest.fixture
def server(crooked: tuple[CrookedServer, str]) -> CrookedServer:
    return crooked[0]


@pytest.fixture
async def client(crooked: tuple[CrookedServer, str]) -> AsyncIterator[MeetraClient]:
    """Afterwards no call of it is left on the server, and no task of it here."""
    before = asyncio.all_tasks()
    async with MeetraClient(crooked[1], token="a token", patience=Patience(open_s=300, reconnect_s=300)) as opened:
        yield opened
    async with asyncio.timeout(300):
        while crooked[0].running_calls:
            await asyncio.sleep(0.01)
    left = {task.get_name() for task in asyncio.all_tasks() - before if "meetra_client" in repr(task)}
    assert not left


@pytest.fixture
async def any_call() -> AsyncIterator[tuple[AnyCallServer, MeetraClient]]:
    """A server that takes every call, and a client of it with a token."""
    servicer = AnyCallServer()
    server, url = await start(servicer)
    async with MeetraClient(url, token="a token", patience=Patience(open_s=300, call_s=300)) as opened:
        yield servicer, opened
    await server.stop(0)

"""What the server makes of an engine that has no room, against the real engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from grpc import aio
from meetra.inference.v2 import session_pb2, session_pb2_grpc

from inference.api.admission import SessionLimits
from inference.api.service import SessionServicer
from inference.engine import ModelEngine
from inference.selection.default_models import load_default_models
from server.engine import EngineBusy, InferenceClient, SessionBroke

pytestmark = pytest.mark.models

CONFIG = session_pb2.SessionConfig(sample_rate_hz=16_000)


@pytest.fixture(scope="module")
async def address() -> AsyncIterator[str]:
    """Of an engine on which every session is one too many."""
    engine = ModelEngine(load_default_models(threads=1, recogniser_workers=1))
    server = aio.server()
    session_pb2_grpc.add_SessionServiceServicer_to_server(SessionServicer(engine, SessionLimits(0)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)
    await engine.close()


@pytest.fixture
async def full(address: str) -> AsyncIterator[InferenceClient]:
    client = InferenceClient(address)
    yield client
    await client.close()


async def heard(client: InferenceClient, read: list[int]) -> None:
    async def pcm() -> AsyncIterator[bytes]:
        for _ in range(200):
            read.append(1)
            yield b"\0\0" * 8000

    async for _ in client.run(CONFIG, pcm()):
        pass


async def test_an_engine_without_room_is_busy_and_never_broken_and_hears_nothing(full: InferenceClient) -> None:
    read: list[int] = []
    ends = await asyncio.gather(*(heard(full, read) for _ in range(300)), return_exceptions=True)
    assert {type(end) for end in ends} == {EngineBusy}
    assert not read, "audio is read once a session is open"


async def test_an_engine_that_is_not_there_costs_no_attempt() -> None:
    nowhere = InferenceClient("127.0.0.1:1")
    with pytest.raises(EngineBusy, match="UNAVAILABLE"):
        await heard(nowhere, [])
    assert issubclass(EngineBusy, SessionBroke)
    await nowhere.close()


async def test_what_an_engine_can_measure_is_known_when_asked(full: InferenceClient) -> None:
    await full.wait_for_capabilities(within_s=30)
    assert full.capabilities is not None
    assert full.capabilities.models


async def test_an_engine_that_is_not_there_is_not_waited_for() -> None:
    nowhere = InferenceClient("127.0.0.1:1")
    await nowhere.wait_for_capabilities(within_s=0.2)
    assert nowhere.capabilities is None
    await nowhere.close()

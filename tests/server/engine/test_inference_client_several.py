"""Several inference servers: sessions go where there is most room, and away from one that is gone or stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from meetra.inference.v2 import session_pb2 as pb

from cli.free_port import free_port
from server.engine import EngineBusy, SessionBroke, inference_client
from server.engine.inference_client import InferenceClient
from server.inference_addresses import Address, Target
from tests.server.live.scripted_engine import ScriptedEngine, scripted_engine

PATIENCE_S = 300
CONFIG = pb.SessionConfig(sample_rate_hz=16_000, live=True)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference_client, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(inference_client, "LOAD_TIMEOUT_S", 0.2)
    monkeypatch.setattr(inference_client, "LOAD_KNOWN_S", 0.0)


@asynccontextmanager
async def two_engines(stall_s: float = 3600.0) -> AsyncIterator[tuple[ScriptedEngine, ScriptedEngine, InferenceClient]]:
    async with AsyncExitStack() as stack:
        (first, one), (second, other) = [await stack.enter_async_context(scripted_engine()) for _ in range(2)]
        client = InferenceClient(f"{one},{other}", stall_s=stall_s)
        stack.push_async_callback(client.close)
        yield first, second, client


async def silence(over: asyncio.Event) -> AsyncIterator[bytes]:
    """The audio of a meeting that goes on until it is over."""
    yield bytes(16_384)
    await over.wait()


async def run(client: InferenceClient, opened: asyncio.Queue[None] | None = None) -> None:
    """A session whose audio ends when the engine makes progress."""
    over = asyncio.Event()
    async for response in client.run(CONFIG, silence(over)):
        if response.HasField("progress"):
            over.set()
        if opened is not None:
            opened.put_nowait(None)


async def open_session(client: InferenceClient, engine: ScriptedEngine) -> asyncio.Task[None]:
    """A session, once the engine opens another one; until then there is no room."""
    before = engine.opened
    while True:
        task = asyncio.create_task(run(client))
        while engine.opened == before and not task.done():
            await asyncio.sleep(0.01)
        if engine.opened > before:
            return task
        assert isinstance(task.exception(), EngineBusy)


async def test_sessions_are_shared_out_between_equals() -> None:
    async with two_engines() as (first, second, client), asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(client)) for _ in range(6)]
        sessions = [await engine.session() for engine in (first, second) for _ in range(3)]
        assert (first.opened, second.opened) == (3, 3)
        for session in sessions:
            await session.conclude_when_told()
        await asyncio.gather(*tasks)


async def test_the_one_with_more_room_is_chosen_also_where_other_processes_fill_it() -> None:
    async with two_engines() as (first, second, client):
        first.statistics = pb.GetStatisticsResponse(sessions=8, max_sessions=32)
        second.statistics = pb.GetStatisticsResponse(sessions=4, max_sessions=8)
        task = asyncio.create_task(run(client))
        session = await first.session()
        await session.conclude_when_told()
        await task


async def test_one_without_room_is_passed_over_and_all_without_room_are_busy() -> None:
    async with two_engines() as (first, second, client):
        first.busy = True
        for _ in range(4):
            task = asyncio.create_task(run(client))
            await (await second.session()).conclude_when_told()
            await task
        second.busy = True
        with pytest.raises(EngineBusy, match="RESOURCE_EXHAUSTED"):
            await run(client)
        assert first.opened == 0


async def test_one_that_is_not_there_is_left_out() -> None:
    async with scripted_engine() as (engine, address):
        client = InferenceClient(f"127.0.0.1:1,{address}")
        async with asyncio.timeout(PATIENCE_S):
            await client.wait_until_reachable()
            for _ in range(3):
                task = asyncio.create_task(run(client))
                await (await engine.session()).conclude_when_told()
                await task
            capabilities = await client.ask_capabilities(60)
            assert capabilities is not None
            assert await client.knows_language("xx", 60) is False
        await client.close()
    nowhere = InferenceClient("127.0.0.1:1,127.0.0.1:2")
    assert await nowhere.ask_capabilities(60) is None
    assert await nowhere.knows_language("xx", 60)
    with pytest.raises(EngineBusy, match="UNAVAILABLE"):
        await run(nowhere)
    with pytest.raises(SessionBroke, match="UNAVAILABLE"):
        await nowhere.analyse_sentences(["one"])
    await nowhere.close()


@pytest.mark.parametrize("deaf", [True, False], ids=["answers nothing", "has a call that does not end"])
async def test_sessions_of_one_without_progress_break_and_it_is_left_out_until_it_goes_on(deaf: bool) -> None:
    async with two_engines(stall_s=1.5) as (first, second, client), asyncio.timeout(PATIENCE_S):
        opened: asyncio.Queue[None] = asyncio.Queue()
        second.busy = True
        task = asyncio.create_task(run(client, opened))
        session = await first.session()
        await opened.get()
        second.busy = False
        if deaf:
            first.deaf.set()
        else:
            first.statistics = pb.GetStatisticsResponse(sessions=1, models=[pb.ModelStatistics(running_us=2_000_000)])
        with pytest.raises(SessionBroke, match="no progress"):
            await task
        await session.gone.wait()
        for _ in range(3):
            task = asyncio.create_task(run(client))
            await (await second.session()).conclude_when_told()
            await task
        first.deaf.clear()
        first.statistics = pb.GetStatisticsResponse()
        second.busy = True
        task = await open_session(client, first)
        await (await first.session()).conclude_when_told()
        await task


async def test_one_that_was_left_out_is_waited_for_while_the_others_answer_nothing() -> None:
    async with scripted_engine() as (hung, one), asyncio.timeout(PATIENCE_S):
        port = free_port()
        client = InferenceClient(f"{one},127.0.0.1:{port}", stall_s=3600)
        hung.busy = True
        with pytest.raises(EngineBusy):
            await run(client)
        # By now it is known that the other one is not there.
        hung.deaf.set()
        reached = asyncio.create_task(client.wait_until_reachable())
        assert not (await asyncio.wait({reached}, timeout=0.1))[0]
        async with scripted_engine(port):
            await reached
        await client.close()


@pytest.mark.parametrize("comes_back", [False, True], ids=["for good", "for a moment"])
async def test_sessions_of_one_that_left_break_as_well_where_it_makes_no_progress(
    monkeypatch: pytest.MonkeyPatch, comes_back: bool
) -> None:
    monkeypatch.setattr(inference_client, "LOOK_UP_EVERY_S", 0.02)
    async with scripted_engine() as (first, one), scripted_engine() as (second, other):
        found = [Target(one)]

        async def look_up(_: Address) -> list[Target]:
            return list(found)

        monkeypatch.setattr(inference_client, "look_up", look_up)
        client = InferenceClient("engines:1", stall_s=1.5)
        async with asyncio.timeout(PATIENCE_S):
            task = await open_session(client, first)
            session = await first.session()
            first.busy = True
            found[:] = [Target(other)]
            later = await open_session(client, second)
            await (await second.session()).conclude_when_told()
            await later
            if comes_back:
                found[:] = [Target(other), Target(one)]
            first.statistics = pb.GetStatisticsResponse(sessions=1, models=[pb.ModelStatistics(running_us=2_000_000)])
            with pytest.raises(SessionBroke, match="no progress"):
                await task
            await session.gone.wait()
        await client.close()


async def test_a_long_call_of_the_only_one_breaks_nothing() -> None:
    async with scripted_engine() as (engine, address):
        client = InferenceClient(address, stall_s=0.1)
        engine.statistics = pb.GetStatisticsResponse(models=[pb.ModelStatistics(running_us=10**9)])
        task = asyncio.create_task(run(client))
        session = await engine.session()
        assert not (await asyncio.wait({task}, timeout=0.5))[0]
        await session.conclude_when_told()
        await task
        await client.close()


async def test_a_name_is_looked_up_again_and_sessions_on_servers_that_left_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inference_client, "LOOK_UP_EVERY_S", 0.02)
    async with scripted_engine() as (first, one), scripted_engine() as (second, other):
        found = [Target(one)]

        async def look_up(_: Address) -> list[Target]:
            if not found:
                raise OSError("nobody knows the name")
            return list(found)

        monkeypatch.setattr(inference_client, "look_up", look_up)
        client = InferenceClient("engines:1")
        async with asyncio.timeout(PATIENCE_S):
            # The name itself leads nowhere.
            task = await open_session(client, first)
            session = await first.session()
            found[:] = [Target(other)]
            while second.opened == 0:
                later = asyncio.create_task(run(client))
                await asyncio.wait({later}, timeout=0.1)
                later.cancel()
                await asyncio.gather(later, return_exceptions=True)
            found.clear()
            await session.conclude_when_told()
            await task
        await client.close()

"""Whether inference servers have room for another live meeting: known at once, and only where each says no."""

from __future__ import annotations

import asyncio

import pytest
from meetra.inference.v2 import session_pb2 as pb

from server.engine import InferenceClient, Overload, load_watch
from tests.server.live.scripted_engine import scripted_engine

PATIENCE_S = 300
FULL = pb.GetStatisticsResponse(
    live=[pb.LiveLoad(organization="many", full=True), pb.LiveLoad(organization="few")], live_full=True
)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_watch, "WATCH_EVERY_S", 0.02)


async def told(client: InferenceClient, organization: str, overload: Overload | None) -> None:
    """Waits until this is known."""
    async with asyncio.timeout(PATIENCE_S):
        while await client.live_overload(organization) != overload:
            await asyncio.sleep(0.01)


async def test_each_organization_is_told_what_holds_for_it() -> None:
    async with scripted_engine() as (engine, address):
        engine.statistics = FULL
        client = InferenceClient(address)
        # Without a server that was ever there, audio is accepted for later.
        assert await client.live_overload("many") is None
        await client.wait_until_reachable()
        assert await client.live_overload("many") is Overload.LAG
        assert await client.live_overload("few") is None
        assert await client.live_overload("new") is Overload.LAG
        engine.statistics = pb.GetStatisticsResponse(memory_short=True)
        await told(client, "few", Overload.MEMORY)
        engine.statistics = pb.GetStatisticsResponse()
        await told(client, "many", None)
        await client.close()


async def test_one_server_with_room_is_enough() -> None:
    async with scripted_engine() as (first, one), scripted_engine() as (second, other):
        first.statistics = FULL
        client = InferenceClient(f"{one},{other}")
        await client.wait_until_reachable()
        assert await client.live_overload("many") is None
        second.statistics = FULL
        await told(client, "many", Overload.LAG)
        await client.close()


async def test_what_was_told_counts_while_a_server_says_nothing_but_not_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load_watch, "TIMEOUT_S", 0.05)
    async with scripted_engine() as (engine, address):
        engine.statistics = FULL
        client = InferenceClient(address)
        await client.wait_until_reachable()
        assert await client.live_overload("many") is Overload.LAG
        engine.deaf.set()
        engine.statistics = pb.GetStatisticsResponse()
        assert await client.live_overload("many") is Overload.LAG
        monkeypatch.setattr("server.engine.replica.TOLD_FOR_S", 0.0)
        assert await client.live_overload("many") is None
        engine.deaf.clear()
        await client.close()


async def test_servers_are_asked_only_while_meetings_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_watch, "WATCHED_S", 0.0)
    async with scripted_engine() as (engine, address):
        client = InferenceClient(address)
        await client.wait_until_reachable()
        assert await client.live_overload("a") is None
        engine.statistics = FULL
        async with asyncio.timeout(PATIENCE_S):
            while any(task.get_name() == "watch the load of inference servers" for task in asyncio.all_tasks()):
                await asyncio.sleep(0.01)
        # What was told a moment ago still counts; then it is asked for again.
        monkeypatch.setattr(load_watch, "KNOWN_S", 0.0)
        assert await client.live_overload("a") is Overload.LAG
        await client.close()

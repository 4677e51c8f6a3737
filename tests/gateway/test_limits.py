"""Clients that are slow, silent or many are let go; quiet streams are not."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from grpc import aio
from meetra.v1 import live_pb2, live_pb2_grpc

from cli.free_port import free_port
from gateway import GatewayLimits
from tests.gateway.event_source import event_source
from tests.gateway.running_gateway import PATIENCE_S, running_gateway

pytestmark = pytest.mark.system

# Of an API that nobody reaches.
NOBODY = 1
LOGIN = b"POST /api-login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"


async def answer_to(address: str, first: bytes, drip: bytes = b"") -> bytes:
    """All that comes until the gateway closes, while ``drip`` is sent again and again, a byte at a time."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(first)

    async def dripping() -> None:
        while drip:
            for number in range(len(drip)):
                writer.write(drip[number : number + 1])
                await asyncio.sleep(0.05)

    task, answer = asyncio.create_task(dripping()), b""
    with suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE_S):
            while more := await reader.read(65536):
                answer += more
                # What is sent to a closed connection voids what has come.
                task.cancel()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    writer.close()
    return answer


def said(answer: bytes) -> tuple[bytes, object]:
    """Status line and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], json.loads(body)


TIMED_OUT = (b"HTTP/1.1 408 Request Timeout", {"message": "Request timed out"})


async def test_headers_that_drip_in_are_cut(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, NOBODY, limits=GatewayLimits(headers_s=0.5)) as address:
        answer = await answer_to(address, b"GET /api-login HTTP/1.1\r\nX: ", b"x")
        assert said(answer) == TIMED_OUT


async def test_a_connection_that_says_nothing_is_closed(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, NOBODY, limits=GatewayLimits(quiet_connection_s=0.5)) as address:
        assert await answer_to(address, b"") == b""


async def test_a_body_that_stops_is_408(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, NOBODY, limits=GatewayLimits(quiet_call_s=0.5)) as address:
        assert said(await answer_to(address, LOGIN + b"{")) == TIMED_OUT


async def test_a_body_that_drips_in_for_too_long_is_408(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, NOBODY, limits=GatewayLimits(longest_call_s=1.0)) as address:
        assert said(await answer_to(address, LOGIN.replace(b"99", b"99999"), b" ")) == TIMED_OUT


async def test_quiet_streams_stay(tmp_path: Path) -> None:
    limits = GatewayLimits(quiet_call_s=0.3, quiet_connection_s=0.3, longest_call_s=0.6)
    async with (
        event_source() as (source, port),
        running_gateway(tmp_path, port, limits=limits) as address,
        aio.insecure_channel(address) as channel,
        httpx.AsyncClient(timeout=PATIENCE_S) as http,
    ):
        stub = live_pb2_grpc.LiveServiceStub(channel)
        watching: Any = stub.WatchMeeting(live_pb2.WatchMeetingRequest(session_id="quiet"))
        sending: Any = stub.StreamMeeting()
        page = asyncio.create_task(http.get(f"http://{address}/single-feature-api/live/quiet/events"))
        await asyncio.sleep(3)
        source.quiet.set()
        async with asyncio.timeout(PATIENCE_S):
            assert (await watching.read()).event.event_seq == 1
            assert (await sending.read()).event.event_seq == 1
            assert '"event_seq":1' in (await page).text.replace(" ", "")


async def test_a_flood_of_connections_is_bounded_and_leaves_those_that_are_open(tmp_path: Path) -> None:
    local = free_port()
    options: dict[str, Any] = {"limits": GatewayLimits(connections=20), "local_port": local}
    async with running_gateway(tmp_path, NOBODY, **options) as address, httpx.AsyncClient() as early:
        url = f"http://{address}/api/nowhere"
        assert (await early.get(url)).status_code == 404
        host, _, port = address.rpartition(":")
        flood = [await asyncio.open_connection(host, int(port)) for _ in range(60)]
        closed = {asyncio.ensure_future(reader.read()) for reader, _ in flood}
        async with asyncio.timeout(PATIENCE_S):
            # The probes of the fixture may not have been let go yet.
            while sum(task.done() for task in closed) < 41:
                await asyncio.sleep(0.1)
        assert (await early.get(url)).status_code == 404
        with pytest.raises(httpx.TransportError):
            await httpx.AsyncClient().get(url)
        async with httpx.AsyncClient() as here:
            assert (await here.get(f"http://127.0.0.1:{local}/api/nowhere")).status_code == 404
        for _, writer in flood:
            writer.close()
        async with asyncio.timeout(PATIENCE_S):
            while not await _answers(url):
                await asyncio.sleep(0.1)
        for task in closed:
            task.cancel()


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient() as http:
            return (await http.get(url)).status_code == 404
    except httpx.TransportError:
        return False


async def test_clients_that_read_nothing_stop_nobody_else(tmp_path: Path) -> None:
    async with event_source() as (_, port), running_gateway(tmp_path, port) as address:
        flood = live_pb2.WatchMeetingRequest(session_id="flood")
        own = [("grpc.use_local_subchannel_pool", 1)]
        # Envoy's two workers share connections out as they come.
        channels = [aio.insecure_channel(address, own) for _ in range(8)]
        stalled = [live_pb2_grpc.LiveServiceStub(channel).WatchMeeting(flood) for channel in channels for _ in range(8)]
        await asyncio.gather(*(watch.read() for watch in stalled))
        # Until what was sent to them stands in every window.
        await asyncio.sleep(3)
        for _ in range(8):
            async with aio.insecure_channel(address, own) as channel:
                watch = live_pb2_grpc.LiveServiceStub(channel).WatchMeeting(flood, timeout=PATIENCE_S)
                for _ in range(50):
                    assert await watch.read() is not aio.EOF
                watch.cancel()
        for channel in channels:
            await channel.close()

"""The server of plain HTTP by itself: its address, errors outside of any call, and a stop that lets answers finish."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from cli.free_port import free_port
from server.api.http_server import HttpServer

PATIENCE_S = 60


async def breaks(request: Request) -> Response:
    raise RuntimeError("secret")


async def test_an_address_that_is_taken_is_an_error_of_start_and_ends_no_process() -> None:
    port = free_port()
    first, second = HttpServer([], 1.0), HttpServer([], 1.0)
    await first.start(f"127.0.0.1:{port}")
    with pytest.raises(OSError, match="in use"):
        await second.start(f"127.0.0.1:{port}")
    await second.stop()
    await first.stop()


async def test_what_breaks_outside_of_a_call_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    server, port = HttpServer([Route("/", breaks)], 1.0), free_port()
    await server.start(f"127.0.0.1:{port}")
    with caplog.at_level(logging.ERROR):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as http:
            answer = await http.get("/")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal error"})
    assert answer.headers["x-meetra-reason"] == "INTERNAL_ERROR"
    assert "GET failed" in caplog.text
    await server.stop()


async def test_signals_stay_the_process_s_own() -> None:
    before = signal.getsignal(signal.SIGTERM)
    server = HttpServer([], 1.0)
    await server.start(f"127.0.0.1:{free_port()}")
    assert signal.getsignal(signal.SIGTERM) is before
    await server.stop()


async def test_a_stop_waits_for_answers_that_end_and_not_for_others() -> None:
    go_on = asyncio.Event()

    async def slow(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"a"
            await go_on.wait()
            yield b"b"

        return StreamingResponse(body())

    for ends in (True, False):
        go_on.clear()
        server, port = HttpServer([Route("/slow", slow)], 600.0 if ends else 1.0), free_port()
        await server.start(f"127.0.0.1:{port}")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as http:
            async with http.stream("GET", "/slow") as answer:
                assert answer.status_code == 200
                stopping = asyncio.create_task(server.stop())
                if ends:
                    go_on.set()
                    assert await answer.aread() == b"ab"
                else:
                    with pytest.raises(httpx.RemoteProtocolError):
                        await answer.aread()
            async with asyncio.timeout(PATIENCE_S):
                await stopping

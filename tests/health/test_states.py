"""Health over real gRPC: what a process is asked before it gets work, and before it is restarted."""

from __future__ import annotations

import asyncio

from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cli.free_port import free_port
from health import ALIVE, HealthStates, serve_health
from health.states import Tell

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
PATIENCE_S = 60


async def asked(address: str, service: str) -> int:
    async with aio.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        return int((await health_pb2_grpc.HealthStub(channel).Check(request, timeout=PATIENCE_S)).status)


class Needed:
    """What a process needs, and whether it answers."""

    def __init__(self) -> None:
        self.changes: asyncio.Queue[bool] = asyncio.Queue()

    async def keep_checking(self, tell: Tell, every_s: float) -> None:
        assert every_s > 0
        while True:
            await tell(await self.changes.get())
            self.changes.task_done()


async def test_a_process_without_what_it_needs_is_alive_and_does_not_serve() -> None:
    needed, address = Needed(), f"127.0.0.1:{free_port()}"
    async with serve_health(address, needed.keep_checking):
        seen = []
        for answers in (True, False, True):
            needed.changes.put_nowait(answers)
            await needed.changes.join()
            seen.append((await asked(address, ALIVE), await asked(address, "")))
    assert seen == [(SERVING, SERVING), (SERVING, NOT_SERVING), (SERVING, SERVING)]


async def test_a_process_that_stops_is_alive_and_does_not_serve_again() -> None:
    server = aio.server()
    states = HealthStates(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await states.start()
    await states.stop()
    await states.tell(True)
    assert (await asked(f"127.0.0.1:{port}", ALIVE), await asked(f"127.0.0.1:{port}", "")) == (SERVING, NOT_SERVING)
    await server.stop(None)


async def test_nothing_is_served_without_an_address() -> None:
    needed = Needed()
    async with serve_health("", needed.keep_checking):
        needed.changes.put_nowait(True)
        await asyncio.sleep(0)
        assert needed.changes.qsize() == 1

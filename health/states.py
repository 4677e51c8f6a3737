"""The states that ``grpc.health.v1.Health/Check`` answers with.

The service "" can serve: it is SERVING while what it needs answers, and balancers and readiness probes ask for it. The
service ``alive`` is SERVING as long as the process answers at all: what restarts processes asks for that, since a
restart brings back no database.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from health.balancers import Balancers

ALIVE = "alive"
READY = ""
CHECK_EVERY_S = 5.0
_STATES = health_pb2.HealthCheckResponse
log = logging.getLogger(__name__)

Tell = Callable[[bool], Awaitable[None]]
KeepChecking = Callable[[Tell, float], Awaitable[None]]
"""Tells now and every so many seconds whether what is needed answers, until cancelled."""


class _HealthServicer(health.aio.HealthServicer):  # type: ignore[misc]  # grpc_health has no types
    """gRPC's health service, which notes who asks it."""

    def __init__(self, balancers: Balancers) -> None:
        super().__init__()
        self._balancers = balancers

    async def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> health_pb2.HealthCheckResponse:
        answer = await super().Check(request, context)
        if request.service == READY:
            self._balancers.told(context.peer(), answer.status == _STATES.SERVING)
        return answer


class HealthStates:
    """The health service of a gRPC server."""

    def __init__(self, server: aio.Server) -> None:
        self._balancers = Balancers()
        self._servicer = _HealthServicer(self._balancers)
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)
        self._ready: bool | None = None
        self._stopping = False

    async def start(self) -> None:
        """Be alive and ready."""
        await self._servicer.set(ALIVE, _STATES.SERVING)
        await self.tell(True)

    async def tell(self, ready: bool) -> None:
        """Serve, or not, from now on. A process that stops serves no more."""
        if self._stopping or ready == self._ready:
            return
        if self._ready is not None:
            log.warning("serves again" if ready else "cannot serve: what it needs does not answer")
        self._ready = ready
        await self._servicer.set(READY, _STATES.SERVING if ready else _STATES.NOT_SERVING)

    async def stop(self) -> None:
        """Serve no more, for good; alive until the process ends."""
        self._stopping = True
        await self._servicer.set(READY, _STATES.NOT_SERVING)

    async def leave_balancers(self, last_call_at: Callable[[], float]) -> None:
        """Wait, after ``stop``, until load balancers send no more calls: seconds, and none without a balancer.

        Args:
            last_call_at: when the last call began, by ``time.monotonic``.
        """
        await self._balancers.leave(last_call_at)


@asynccontextmanager
async def serve_health(listen: str, keep_checking: KeepChecking) -> AsyncIterator[None]:
    """Serve health alone, for a process without calls of its own. Nothing is served without an address.

    Args:
        listen: host:port, or empty.
        keep_checking: what it needs in order to serve.

    Raises RuntimeError if the address cannot be bound.
    """
    if not listen:
        yield
        return
    server = aio.server(options=[("grpc.so_reuseport", 0)])
    states = HealthStates(server)
    server.add_insecure_port(listen)
    await server.start()
    await states.start()
    checking = asyncio.create_task(follow(states, keep_checking), name="check health")
    try:
        yield
    finally:
        checking.cancel()
        await states.stop()
        await server.stop(None)


async def follow(states: HealthStates, keep_checking: KeepChecking) -> None:
    """Keep the states in line with what is needed, until cancelled."""
    await keep_checking(states.tell, CHECK_EVERY_S)

"""The MCP server at ``/mcp``: streamable HTTP, without sessions, for callers with a token or key that may read."""

from __future__ import annotations

import asyncio
import logging
from importlib.metadata import version
from typing import Any

from google.protobuf.message import Message
from grpc import aio
from mcp.server.mcpserver import Context
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from meetra.v1 import access_pb2
from starlette.requests import Request
from starlette.routing import Route

from server.api.audit_rules import AuditRule
from server.api.call_rule import CallRule
from server.api.header_call import READ
from server.api.http_guard import HttpGuard
from server.mcp import CallApi, CallFailed, build_tools

PATH = "/mcp"
# What is called is in the log, each as it is over gRPC.
RULE = CallRule("/meetra.v1.Mcp/Request", frozenset({access_pb2.RIGHT_READ}), AuditRule("", "", False, ()))
MAX_REQUEST = 256 * 1024
CALL_TIMEOUT_S = 60.0


class McpEndpoint:
    """Serves the tools to assistants over HTTP.

    Its tools call this very API with the caller's own token, so that rights, limits, audit log and errors are those of
    every other call. No session is kept: any API process answers any request.
    """

    def __init__(self) -> None:
        # What it would log of failed tools quotes what callers sent.
        logging.getLogger("mcp").setLevel(logging.ERROR)
        self._channel: aio.Channel | None = None
        server = build_tools(version("meetra"), self._caller)
        self._sessions = StreamableHTTPSessionManager(
            server._lowlevel_server,
            json_response=True,
            stateless=True,
            max_request_body_size=MAX_REQUEST,
        )
        self._running: asyncio.Task[None] | None = None

    def route(self, guard: HttpGuard) -> Route:
        """Return the route, behind the guard."""
        return Route(PATH, guard.application(RULE, self._sessions.handle_request), methods=["POST"])

    async def start(self, api: str) -> None:
        """Be ready to answer.

        Args:
            api: ``host:port`` of the gRPC API of this process.
        """
        host, _, port = api.rpartition(":")
        local = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104
        self._channel = aio.insecure_channel(f"{local}:{port}")
        ready = asyncio.Event()
        self._running = asyncio.create_task(self._run(ready), name="serve assistants")
        await ready.wait()

    async def stop(self) -> None:
        """End what is running."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        if self._channel is not None:
            await self._channel.close()

    async def _run(self, ready: asyncio.Event) -> None:
        async with self._sessions.run():
            ready.set()
            await asyncio.Event().wait()

    def _caller(self, context: Context[Any, Any]) -> CallApi:
        request = context.request_context.request
        assert isinstance(request, Request)
        metadata = tuple((name, value) for name, value in request.headers.items() if name in READ)
        channel = self._channel
        assert channel is not None

        async def call(stub: Any, method: str, message: Message) -> Any:
            try:
                return await getattr(stub(channel), method)(message, metadata=metadata, timeout=CALL_TIMEOUT_S)
            except aio.AioRpcError as error:
                raise CallFailed(error.details() or error.code().name) from None

        return call

"""The same door for plain HTTP as for gRPC: token, rights, open calls, audit log, errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import request_response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.call_rule import CallRule
from server.api.http_call import STATUS_HEADER, HttpAborted, HttpCall
from server.api.interceptor import CallInterceptor

Endpoint = Callable[[Request], Awaitable[Response]]


class _Exchange(NamedTuple):
    scope: Scope
    receive: Receive
    send: Send


class _ClientLeft(BaseException):
    """The client broke off its request: no error, and nobody is left to tell one."""


class HttpGuard:
    """Wraps what answers plain HTTP requests, so that it runs for callers who may, and as gRPC's methods do.

    What it wraps finds its caller with ``current_caller``, names what it is about with ``current_call().concern(id)``,
    and raises ``MeetraError``.
    """

    def __init__(self, interceptor: CallInterceptor) -> None:
        self._interceptor = interceptor

    def endpoint(self, rule: CallRule, answer: Endpoint, *, streams: bool = False) -> GuardedApp:
        """Return an application that answers each request with what ``answer`` returns; see ``application``."""
        return self.application(rule, request_response(answer), streams=streams)

    def application(self, rule: CallRule, app: ASGIApp, *, streams: bool = False) -> GuardedApp:
        """Return an application that answers as ``app`` does, for callers whom ``rule`` lets in.

        Args:
            streams: whether answers or bodies take long: they are counted as streams, and end once their caller
                loses the right.
        """

        async def run(exchange: _Exchange, _: Any) -> None:
            try:
                await app(*exchange)
            except ClientDisconnect:
                raise _ClientLeft from None

        return GuardedApp(self._interceptor.guard_http(rule, run, streams=streams))


class GuardedApp:
    """An ASGI application of one kind of call."""

    def __init__(self, guarded: Callable[[Any, Any], Awaitable[None]]) -> None:
        self._guarded = guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        call, started = HttpCall(scope), False

        async def send_marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if message["status"] >= 400:
                    stated = (STATUS_HEADER.encode(), str(message["status"]).encode())
                    kept = [pair for pair in message.get("headers", ()) if pair[0].lower() != stated[0]]
                    message = {**message, "headers": [*kept, stated]}
            await send(message)

        try:
            await self._guarded(_Exchange(scope, receive, send_marked), call)
        except HttpAborted as error:
            # Under way, an answer can only be broken off: uvicorn closes the connection of one that is not complete.
            if not started:
                await error.response(scope, receive, send)
        except _ClientLeft:
            pass
        finally:
            call.end()

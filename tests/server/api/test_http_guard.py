"""Plain HTTP behind the door of gRPC: token, rights, open calls, errors, audit log; over a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from meetra.v1 import access_pb2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from cli.free_port import free_port
from server.api.access import OpenStreams
from server.api.audit_rules import AuditRule
from server.api.call_rule import CallRule
from server.api.http_guard import HttpGuard
from server.api.http_server import HttpServer
from server.api.interceptor import CallInterceptor
from server.api.open_calls import OpenCallLimits, OpenCalls
from server.audit import AuditTrail, current_call
from server.auth import Authenticator, current_caller
from server.errors import MeetingNotFound
from server.storage import AuditEvent, audit
from server.storage.pool import Database
from tests.server.signing import tokens
from tests.server.storage.rows import HASH, make_user

PATIENCE_S = 60
LIMIT = 3
READ = CallRule("/test.Guarded/Read", frozenset({access_pb2.RIGHT_READ}), AuditRule("read", "meeting", False, ()))
EDIT = CallRule("/test.Guarded/Edit", frozenset({access_pb2.RIGHT_EDIT}), AuditRule("change", "meeting", False, ()))


@dataclass
class Guarded:
    """What is behind the door, and whoever knocks."""

    error: BaseException | None = None
    halfway: asyncio.Event = field(default_factory=asyncio.Event)
    http: httpx.AsyncClient = field(default_factory=httpx.AsyncClient)
    trail: AuditTrail = field(init=False)

    async def read(self, request: Request) -> Response:
        called = current_call()
        assert called is not None
        called.concern(HASH)
        if self.error is not None:
            raise self.error
        return JSONResponse({"user": str(current_caller().user_id)})

    async def stream(self, request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"a"
            await self.halfway.wait()
            if self.error is not None:
                raise self.error
            yield b"b"

        return StreamingResponse(body())

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Response("I am a teapot", 418, {"x-http-code": "200"})(scope, receive, send)


@pytest.fixture
async def guarded(owner: Database, database: Database) -> AsyncIterator[Guarded]:
    authenticator, limits = Authenticator(tokens(), database), OpenCallLimits(LIMIT, LIMIT)
    trail = AuditTrail(database, 1000)
    guard = HttpGuard(CallInterceptor(authenticator, OpenCalls(limits), OpenStreams(authenticator), trail))
    behind = Guarded()
    behind.trail = trail
    server = HttpServer(
        [
            Route("/read", guard.endpoint(READ, behind.read), methods=["GET"]),
            Route("/edit", guard.endpoint(EDIT, behind.read), methods=["POST"]),
            Route("/stream", guard.endpoint(READ, behind.stream, streams=True), methods=["GET"]),
            Route("/app", guard.application(READ, behind.application), methods=["GET"]),
        ],
        1.0,
    )
    port = free_port()
    await server.start(f"127.0.0.1:{port}")
    reader = await make_user(owner, "Org", "r@example.org", role="reader")
    headers = {"authorization": f"Bearer {tokens().issue(reader.id, reader.token_generation)}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=PATIENCE_S) as http:
        behind.http = http
        yield behind
    await trail.close()
    await server.stop()


def refusal(answer: httpx.Response) -> tuple[int, str, str, dict[str, Any]]:
    return (
        answer.status_code,
        answer.headers["x-http-code"],
        answer.headers.get("x-meetra-reason", ""),
        answer.json(),
    )


async def test_who_may_is_answered_and_who_may_not_is_told_why(guarded: Guarded) -> None:
    assert set((await guarded.http.get("/read")).json()) == {"user"}
    unknown = await guarded.http.get("/read", headers={"authorization": "Bearer nobody"})
    assert refusal(unknown) == (401, "401", "UNAUTHENTICATED", {"message": "Unauthorized"})
    forbidden = await guarded.http.post("/edit")
    assert refusal(forbidden)[:3] == (403, "403", "PERMISSION_DENIED")
    assert refusal(await guarded.http.get("/nowhere")) == (404, "404", "", {"message": "Not found"})
    assert refusal(await guarded.http.post("/read")) == (405, "405", "", {"message": "Method not allowed"})


async def test_errors_are_told_without_our_insides(guarded: Guarded) -> None:
    guarded.error = MeetingNotFound()
    assert refusal(await guarded.http.get("/read"))[:3] == (404, "404", "MEETING_NOT_FOUND")
    guarded.error = RuntimeError("secret")
    assert refusal(await guarded.http.get("/read")) == (500, "500", "INTERNAL_ERROR", {"message": "Internal error"})


async def test_an_application_answers_as_it_likes_and_its_status_is_stated(guarded: Guarded) -> None:
    answer = await guarded.http.get("/app")
    assert (answer.status_code, answer.headers.get_list("x-http-code"), answer.text) == (418, ["418"], "I am a teapot")


async def test_streams_are_counted_until_their_last_byte(guarded: Guarded) -> None:
    opened = [guarded.http.stream("GET", "/stream") for _ in range(LIMIT)]
    for stream in opened:
        assert (await stream.__aenter__()).status_code == 200
    assert refusal(await guarded.http.get("/stream"))[:3] == (429, "429", "TOO_MANY_OPEN_CALLS")
    assert (await guarded.http.get("/read")).status_code == 200
    guarded.halfway.set()
    for stream in opened:
        await stream.__aexit__(None, None, None)
    async with asyncio.timeout(PATIENCE_S):
        while (answer := await guarded.http.get("/stream")).status_code == 429:
            await asyncio.sleep(0.05)
    assert answer.text == "ab"


async def test_what_breaks_under_way_is_broken_off(guarded: Guarded) -> None:
    guarded.error = RuntimeError("secret")
    guarded.halfway.set()
    with pytest.raises(httpx.RemoteProtocolError):
        await guarded.http.get("/stream")


async def test_the_audit_log_has_reads_and_refusals(guarded: Guarded, database: Database, owner: Database) -> None:
    await guarded.http.get("/read", headers={"x-client-address": "192.0.2.7", "x-request-id": "one"})
    await guarded.http.post("/edit")
    organization = (await make_user(owner, "Org", "r@example.org")).organization_id
    found: list[Any] = []
    async with asyncio.timeout(PATIENCE_S):
        # A call is over a moment after its last byte has come.
        while len(found) < 2:
            await guarded.trail.flush()
            found = await stored(database, organization)
    said = {(event.method, event.action, event.status) for event in found}
    assert said == {("Guarded/Read", "read", "OK"), ("Guarded/Edit", "refused", "PERMISSION_DENIED")}
    (read,) = [event for event in found if event.action == "read"]
    assert (read.object_id, read.address, read.request_id) == (HASH, "192.0.2.7", "one")


async def stored(database: Database, organization: UUID) -> list[AuditEvent]:
    """The events of an organization."""
    wanted = audit.AuditFilter()
    page = await database.run(lambda c: audit.list_page(c, organization, wanted, 100), organization_id=organization)
    return page.events

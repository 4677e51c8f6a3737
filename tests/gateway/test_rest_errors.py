"""Errors through real Envoy: REST sees status, message and reason, native gRPC the facts too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import httpx
import pytest
from meetra.v1 import meetings_pb2, meetings_pb2_grpc

from meetra_client.connection import Endpoint
from server.storage.pool import Database
from tests.gateway.running_gateway import running_gateway
from tests.server.errors.refusing_server import EXAMPLES, RefusingServer, refused_login, refused_stream
from tests.server.signing import KEYS

pytestmark = pytest.mark.system

EVENTS = "/single-feature-api/live/a-session/events"
# What differs from answer to answer.
VARYING = ("date", "x-request-id")


@pytest.fixture
async def refusing(owner: Database, tmp_path: Path) -> AsyncIterator[tuple[RefusingServer, str]]:
    """The server, and the address of a gateway before it."""
    servicer = RefusingServer(owner)
    server, api_port = await servicer.start()
    async with running_gateway(tmp_path, api_port, keys=KEYS.current) as address:
        yield servicer, f"http://{address}"
    await server.stop(0)


async def test_rest_answers_status_message_and_reason_and_nothing_of_the_details(
    refusing: tuple[RefusingServer, str],
) -> None:
    servicer, address = refusing
    login = {"email": "a@example.org", "password": "a password"}
    async with httpx.AsyncClient(base_url=address, timeout=300) as http:
        http.headers["authorization"] = f"Bearer {await servicer.token()}"
        for servicer.error in EXAMPLES:
            metadata = dict(servicer.error.metadata())
            for servicer.events in (0, 1):
                answers = []
                for servicer.bare in (False, True):
                    answers.append([await http.post("/api-login", json=login), await http.get(EVENTS)])
                for detailed, bare in zip(*answers, strict=True):
                    assert detailed.status_code == bare.status_code
                    assert detailed.content == bare.content
                    assert _headers(detailed) == _headers(bare)
                    assert not [name for name in detailed.headers if "grpc" in name]
                refused = answers[0] if servicer.events == 0 else answers[0][:1]
                for answer in refused:
                    assert answer.status_code == int(metadata["x-http-code"])
                    assert answer.json() == {"message": servicer.error.message}
                    assert answer.headers["x-meetra-reason"] == servicer.error.reason
                    assert answer.headers.get("retry-after") == metadata.get("retry-after")


async def test_what_the_gateway_refuses_by_itself_has_a_reason_where_there_is_no_doubt(
    refusing: tuple[RefusingServer, str],
) -> None:
    servicer, address = refusing
    async with httpx.AsyncClient(base_url=address, timeout=300) as http:
        forged = await http.get(EVENTS, headers={"authorization": "Bearer forged"})
        assert (forged.status_code, forged.headers["x-meetra-reason"]) == (401, "UNAUTHENTICATED")
        wrong = await http.post("/api-login", content=b"{", headers={"content-type": "application/json"})
        assert (wrong.status_code, wrong.headers["x-meetra-reason"]) == (400, "BAD_REQUEST")
        http.headers["authorization"] = f"Bearer {await servicer.token()}"
        packed = {"content-type": "application/json", "content-encoding": "br"}
        unread = await http.post("/api-login", content=b"{}", headers=packed)
        assert (unread.status_code, unread.headers["x-meetra-reason"]) == (415, "UNSUPPORTED_CONTENT_ENCODING")
        # No reason has their meaning.
        for answer, status in (
            (await http.get("/api/no-such-path"), 404),
            (await http.post("/api-login", json={"email": "x" * 1_100_000}), 413),
            (await http.get(EVENTS, headers={"x-long": "x" * 62_000}), 431),
        ):
            assert (answer.status_code, answer.headers.get("x-meetra-reason")) == (status, None)
    async with grpc.aio.insecure_channel(address.removeprefix("http://")) as channel:
        listing = meetings_pb2_grpc.MeetingServiceStub(channel).ListMeetings
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await listing(meetings_pb2.ListMeetingsRequest(), metadata=(("authorization", "Bearer forged"),))
    assert dict(raised.value.trailing_metadata() or ())["x-meetra-reason"] == "UNAUTHENTICATED"


async def test_native_grpc_sees_reason_and_facts(refusing: tuple[RefusingServer, str]) -> None:
    servicer, address = refusing
    endpoint = Endpoint.parse(address, keepalive_s=10)
    token = await servicer.token()
    for servicer.error in EXAMPLES:
        for heard in (await refused_login(endpoint), await refused_stream(endpoint, token)):
            assert (heard.reason, heard.facts) == (servicer.error.reason, servicer.error.facts)
            assert (heard.code, str(heard)) == (servicer.error.grpc_status, servicer.error.message)


def _headers(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.headers.multi_items() if name not in VARYING]

"""Errors through real Envoy: REST sees status and message alone, native gRPC the details too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

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


async def test_rest_answers_status_and_message_and_nothing_of_the_details(
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
                    assert answer.headers.get("retry-after") == metadata.get("retry-after")


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

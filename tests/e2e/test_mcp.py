"""The official MCP client, over HTTP through the gateway and over a pipe to the command line, as who may what."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.conftest import Rest, System
from tests.recordings import ROOT, excerpt


@pytest.fixture(scope="module")
def talk(rest: Rest) -> str:
    """A meeting of these tests alone."""
    return rest.analysed(excerpt(50, mark="mcp"), name="For assistants")


@asynccontextmanager
async def over_http(gateway: str, token: str) -> AsyncIterator[Client]:
    """A client at the gateway, with this token."""
    async with (
        httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=120) as http,
        Client(streamable_http_client(f"{gateway}/mcp", http_client=http)) as client,
    ):
        yield client


@asynccontextmanager
async def over_a_pipe(system: System, **environment: str) -> AsyncIterator[Client]:
    """A client of ``meetra mcp``."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "cli", "mcp", "--data", str(system.data)],
        env={**os.environ, **environment},
        cwd=ROOT,
    )
    async with Client(stdio_client(command)) as client:
        yield client


async def read(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool returns."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def reads_everything(client: Client, rest: Rest, talk: str) -> None:
    """Each tool, beside REST."""
    listed = await read(client, "list_meetings", limit=100)
    assert "For assistants" in [meeting["name"] for meeting in listed["meetings"]]
    speakers = await read(client, "list_speakers", file_hash=talk)
    assert speakers["speakers"][0].keys() >= {"id", "alias", "alias_source"}
    transcript = await read(client, "get_transcript", file_hash=talk)
    entries = rest.get("/single-feature-api/meeting/transcription", file_hash=talk).json()["Transcription"]
    assert [one["text"] for one in transcript["statements"]] == [one["transcription"] for one in entries]
    assert transcript["next_start_ms"] is None
    found = await read(client, "search_meetings", query=entries[0]["transcription"][:200], file_hash=talk)
    assert found["results"][0]["meeting"] == "For assistants"
    assert found["results"][0]["speaker"]
    report = await read(client, "get_insights", file_hash=talk)
    assert report == rest.get("/single-feature-api/meeting/quality", file_hash=talk).json()
    notes = await read(client, "get_insights", file_hash=talk, kind="notes")
    assert notes == rest.get("/single-feature-api/meeting/notes", file_hash=talk).json()
    assert notes["notes"] == report["context"]["notes"]
    topics = await read(client, "get_insights", file_hash=talk, kind="topics")
    assert topics == rest.get("/single-feature-api/meeting/topics", file_hash=talk).json()


async def test_an_assistant_reads_everything_over_http(system: System, rest: Rest, talk: str) -> None:
    async with over_http(system.gateway, rest.token) as client:
        await reads_everything(client, rest, talk)


async def test_an_assistant_reads_everything_over_a_pipe(system: System, rest: Rest, talk: str) -> None:
    async with over_a_pipe(system) as client:
        await reads_everything(client, rest, talk)


async def test_another_organization_is_told_nothing(stranger: Rest, talk: str) -> None:
    async with over_http(str(stranger.http.base_url).rstrip("/"), stranger.token) as client:
        assert talk not in str(await read(client, "list_meetings"))
        for tool in ("get_transcript", "list_speakers", "get_insights"):
            result = await client.call_tool(tool, {"file_hash": talk})
            assert result.is_error
            assert "Meeting not found" in str(result.content)
        found = await read(client, "search_meetings", query="the", file_hash=talk)
        assert found["results"] == []


async def test_a_key_reads_as_far_as_its_scopes(system: System, rest: Rest, talk: str) -> None:
    keys = {
        scope: rest.http.post("/api/keys", json={"name": f"mcp {scope}", "scopes": [scope]}).json()["secret"]
        for scope in ("read", "upload")
    }
    async with over_http(system.gateway, keys["read"]) as client:
        assert (await read(client, "get_transcript", file_hash=talk))["statements"]
    refused = call(system, keys["upload"])
    assert (refused.status_code, refused.headers["x-meetra-reason"]) == (403, "PERMISSION_DENIED")


def call(system: System, token: str, method: str = "POST", body: Any = None) -> httpx.Response:
    """A request as an MCP client sends it."""
    headers = {
        "accept": "application/json, text/event-stream",
        **({"authorization": f"Bearer {token}"} if token else {}),
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}} if body is None else body
    return httpx.request(method, f"{system.gateway}/mcp", json=message, headers=headers, timeout=120)


def test_without_a_token_nothing_is_answered(system: System) -> None:
    for token in ("", "x", "a.b.c"):
        answer = call(system, token)
        assert (answer.status_code, answer.headers["x-meetra-reason"]) == (401, "UNAUTHENTICATED"), token


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param([], 400, id="a list"),
        pytest.param("text", 400, id="a text"),
        pytest.param({"jsonrpc": "2.0", "id": 1, "method": "no/such", "params": {}}, 200, id="an unknown method"),
        pytest.param({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": 1}}, 200, id="no name"),
        pytest.param({"x": "y" * 300_000}, 413, id="too large"),
    ],
)
def test_what_is_no_request_is_refused(system: System, rest: Rest, body: Any, status: int) -> None:
    answer = call(system, rest.token, body=body)
    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text


def test_there_are_no_sessions_to_open_or_end(system: System, rest: Rest) -> None:
    assert call(system, rest.token, "DELETE").status_code == 405


async def test_calls_of_an_assistant_are_in_the_audit_log(system: System, rest: Rest, talk: str) -> None:
    async with over_http(system.gateway, rest.token) as client:
        await read(client, "search_meetings", query="quincunx")
    events = rest.http.get("/api/organization/audit", params={"page_size": 50}).json()["events"]
    assert "SearchService/SearchMeetings" in {event["method"] for event in events}

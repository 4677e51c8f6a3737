"""The tools, over the official client in this process, on an API that refuses or answers as it is told."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from mcp import Client
from meetra.v1 import insights_pb2_grpc, meetings_pb2

from server.mcp import CallFailed, build_tools
from server.mcp.tools import INSIGHTS


async def test_every_tool_says_that_it_only_reads() -> None:
    async with Client(build_tools("1", lambda _: refuse)) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {"get_insights", "get_transcript", "list_meetings", "list_speakers", "search_meetings"}
    for tool in tools.values():
        assert tool.annotations is not None
        assert (tool.annotations.read_only_hint, tool.annotations.destructive_hint) == (True, False)
        assert tool.description
    kinds = tools["get_insights"].input_schema["properties"]["kind"]["enum"]
    assert kinds == list(INSIGHTS)


def test_every_answer_is_a_method() -> None:
    stub = insights_pb2_grpc.InsightsServiceStub
    assert all(hasattr(insights_pb2_grpc.InsightsServiceServicer, method) for method in INSIGHTS.values()), stub


async def refuse(stub: Any, method: str, request: Message, /) -> Any:
    raise CallFailed("Meeting not found")


async def test_what_the_api_refuses_is_told_to_the_assistant() -> None:
    async with Client(build_tools("1", lambda _: refuse)) as client:
        for name, arguments in (
            ("get_transcript", {"file_hash": "f" * 64}),
            ("search_meetings", {"query": "x"}),
            ("get_insights", {"file_hash": "f" * 64, "kind": "summaries"}),
        ):
            result = await client.call_tool(name, arguments)
            assert result.is_error
            assert "Meeting not found" in str(result.content)


async def test_arguments_reach_the_call_and_wrong_ones_do_not() -> None:
    asked: list[Message] = []

    async def answer(stub: Any, method: str, request: Message, /) -> Any:
        asked.append(request)
        return meetings_pb2.ListMeetingsResponse(next_page_token="t")

    async with Client(build_tools("1", lambda _: answer)) as client:
        result = await client.call_tool("list_meetings", {"limit": 3, "page_token": "p"})
        assert result.structured_content == {"meetings": [], "next_page_token": "t"}
        for wrong in ({"limit": 0}, {"limit": 101}, {"page_token": "x" * 401}):
            assert (await client.call_tool("list_meetings", wrong)).is_error
    assert asked == [meetings_pb2.ListMeetingsRequest(page_size=3, page_token="p")]

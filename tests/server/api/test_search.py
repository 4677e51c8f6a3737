"""SearchService, over real gRPC."""

from __future__ import annotations

import grpc
import pytest
from grpc import aio
from meetra.v1 import search_pb2 as pb
from meetra.v1 import search_pb2_grpc

from server.storage.pool import Database
from tests.server.api.conftest import Api
from tests.server.search.indexed import Said, indexed
from tests.server.storage.rows import HASH, make_user


async def test_a_sentence_comes_with_meeting_speaker_time_and_reason(
    api: Api, owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    await indexed(
        database, user, Said("Hello."), Said("The budgets are approved.", 2), names=("Ada", "Grace"), name="Weekly"
    )
    service = search_pb2_grpc.SearchServiceStub(api.channel)
    answer = await service.SearchMeetings(
        pb.SearchMeetingsRequest(query="budget", by="words", speaker="grace", language="english", limit=5),
        metadata=api.metadata,
    )
    (found,) = answer.results
    assert (found.file_hash, found.meeting, found.speaker) == (HASH, "Weekly", "Grace")
    assert (found.start_ms, found.end_ms, found.text) == (2000, 3000, "The budgets are approved.")
    assert (list(found.matched_words), found.relevance, found.HasField("similarity")) == (["budgets"], 0.4167, False)
    assert not found.HasField("date")
    assert answer.notice == ""


async def test_without_an_engine_words_are_searched_and_the_answer_says_so(
    api: Api, owner: Database, database: Database
) -> None:
    await indexed(database, await make_user(owner), Said("The budget."))
    service = search_pb2_grpc.SearchServiceStub(api.channel)
    answer = await service.SearchMeetings(pb.SearchMeetingsRequest(query="budget"), metadata=api.metadata)
    assert [found.text for found in answer.results] == ["The budget."]
    assert "engine" in answer.notice
    with pytest.raises(aio.AioRpcError) as raised:
        await service.SearchMeetings(pb.SearchMeetingsRequest(query="budget", by="meaning"), metadata=api.metadata)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("field", "request_"),
    [
        pytest.param("query", {}, id="no query"),
        pytest.param("query", {"query": "x" * 401}, id="long query"),
        pytest.param("query", {"query": "a\0b"}, id="null character"),
        pytest.param("by", {"query": "x", "by": "sound"}, id="unknown way"),
        pytest.param("limit", {"query": "x", "limit": 101}, id="high limit"),
        pytest.param("limit", {"query": "x", "limit": -1}, id="negative limit"),
        pytest.param("speaker", {"query": "x", "speaker": "x" * 201}, id="long speaker"),
        pytest.param("topic", {"query": "x", "topic": "x" * 201}, id="long topic"),
        pytest.param("date_from", {"query": "x", "date_from": "yesterday"}, id="no day"),
        pytest.param("date_to", {"query": "x", "date_to": "2026-02-30"}, id="no such day"),
        pytest.param("date_to", {"query": "x", "date_from": "2026-02-02", "date_to": "2026-02-01"}, id="days turned"),
        pytest.param("from", {"query": "x", "from_time": "yesterday"}, id="no moment"),
        pytest.param("to", {"query": "x", "to_time": "2026-02-30T00:00:00Z"}, id="no such moment"),
        pytest.param("language", {"query": "x", "language": "!!"}, id="no language"),
        pytest.param("file-hash", {"query": "x", "file_hash": "abc"}, id="no hash"),
    ],
)
async def test_a_wrong_field_is_named(api: Api, field: str, request_: dict[str, object]) -> None:
    service = search_pb2_grpc.SearchServiceStub(api.channel)
    with pytest.raises(aio.AioRpcError) as raised:
        await service.SearchMeetings(pb.SearchMeetingsRequest(**request_), metadata=api.metadata)  # type: ignore[arg-type]
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in str(raised.value.details())

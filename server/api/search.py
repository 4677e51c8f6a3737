"""SearchService: sentences of an organization's meetings, by words and by meaning."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from grpc import aio
from meetra.v1 import search_pb2 as pb
from meetra.v1 import search_pb2_grpc

from server.api.validation import parse_moment, validate_file_hash
from server.auth import current_caller
from server.conversation import primary_tag
from server.errors import BadRequest
from server.meetings import parse_language
from server.moments import utc_text
from server.search import FoundSentence, Search, SearchBy, Wanted

Context = aio.ServicerContext[Any, Any]
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
MAX_FILTER = 200
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class SearchServicer(search_pb2_grpc.SearchServiceServicer):
    """See proto/meetra/v1/search.proto."""

    def __init__(self, search: Search) -> None:
        self._search = search

    async def SearchMeetings(  # noqa: N802
        self, request: pb.SearchMeetingsRequest, context: Context
    ) -> pb.SearchMeetingsResponse:
        """See SearchService.SearchMeetings."""
        answer = await self._search.find(current_caller().organization_id, parse_request(request))
        return pb.SearchMeetingsResponse(results=map(_result, answer.found), notice=answer.notice)


def parse_request(request: pb.SearchMeetingsRequest) -> Wanted:
    """Return what a request searches for. Raises BadRequest."""
    if request.by not in tuple(SearchBy):
        raise BadRequest("by", "must be words, meaning, or omitted for both")
    if not 0 <= request.limit <= MAX_LIMIT:
        raise BadRequest("limit", f"{request.limit}; must be 1 to {MAX_LIMIT}, or 0 for {DEFAULT_LIMIT}")
    first, last = _day("date_from", request.date_from), _day("date_to", request.date_to)
    if first and last and last < first:
        raise BadRequest("date_to", "before date_from; must be the same day or a later one")
    return Wanted(
        query=_text("query", request.query, None),
        by=SearchBy(request.by),
        speaker=_text("speaker", request.speaker.strip(), MAX_FILTER),
        date_from=first,
        date_to=last,
        held_from=parse_moment("from", request.from_time),
        held_before=parse_moment("to", request.to_time),
        topic=_text("topic", request.topic.strip(), MAX_FILTER),
        language=primary_tag(parse_language(request.language)),
        file_hash=validate_file_hash(request.file_hash) if request.file_hash else None,
        limit=request.limit or DEFAULT_LIMIT,
    )


def _text(field: str, value: str, most: int | None) -> str:
    if most is not None and len(value) > most:
        raise BadRequest(field, f"{len(value)} characters; must be at most {most}")
    if "\0" in value:
        raise BadRequest(field, "contains a null character; remove it")
    return value


def _day(field: str, value: str) -> date | None:
    if not value:
        return None
    try:
        if not _DAY.fullmatch(value):
            raise ValueError(value)
        return date.fromisoformat(value)
    except ValueError:
        raise BadRequest(field, "must be a day such as 2026-11-23") from None


def _result(found: FoundSentence) -> pb.SearchResult:
    row = found.row
    return pb.SearchResult(
        file_hash=row.file_hash,
        meeting=row.meeting_name,
        date=row.held_on,
        created_at=utc_text(row.created_at),
        speaker_id=str(row.speaker_id or ""),
        speaker=row.speaker_name or "",
        start_ms=row.start_ms,
        end_ms=row.end_ms,
        text=row.text,
        language=row.language,
        topic=row.topic,
        matched_words=found.matched_words,
        similarity=None if row.similarity is None else round(row.similarity, 4),
        relevance=round(found.relevance, 4),
    )

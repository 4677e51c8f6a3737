"""Errors as google.rpc.Status; what libraries and clients make of it is in tests/server/errors."""

from __future__ import annotations

import grpc
from google.rpc import error_details_pb2

from server.api.rich_status import MAX_MESSAGE, rich_status
from server.errors import BadRequest, MeetingStillProcessing


def test_reason_and_facts_are_the_first_detail_and_a_known_wait_the_second() -> None:
    status = rich_status(MeetingStillProcessing(40))
    assert (status.code, status.message) == (
        grpc.StatusCode.FAILED_PRECONDITION.value[0],
        "Meeting is still being processed (40 %)",
    )
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(retry)
    assert (info.domain, info.reason) == ("meetra", "MEETING_STILL_PROCESSING")
    assert dict(info.metadata) == {"progress_percent": "40", "retry_after_s": "2"}
    assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (2, 0)


def test_without_a_known_wait_none_is_invented() -> None:
    assert len(rich_status(BadRequest("alias", "missing")).details) == 1


def test_a_message_is_cut_where_clients_would_refuse_its_header() -> None:
    assert len(rich_status(BadRequest("name", "x" * 10_000)).message) == MAX_MESSAGE

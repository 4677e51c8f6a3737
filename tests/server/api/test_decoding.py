"""Requests that are no messages: refused by name, and never an exception that gRPC answers for us."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meetra.v1 import live_pb2, meetings_pb2, speakers_pb2

from server.api.decoding import Undecodable, require_all_decoded, require_decoded, wrap_deserializer
from server.errors import BadRequest

STATUS = "/meetra.v1.MeetingService/GetMeetingStatus"
SENT: dict[str, tuple[Any, bytes, str]] = {
    STATUS: (meetings_pb2.GetMeetingStatusRequest, b"\x0a\x01\xff", "file-hash: not UTF-8"),
    "/meetra.v1.SpeakerService/RenameSpeaker": (
        speakers_pb2.RenameSpeakerRequest,
        b"\x12\x03\x0a\x01\xff",
        "alias: not UTF-8",
    ),
    "/meetra.v1.MeetingService/UploadMeeting": (
        meetings_pb2.UploadMeetingRequest,
        b"\x0a\x03\x0a\x01\xff",
        "content-type: not UTF-8",
    ),
    "/meetra.v1.LiveService/StreamMeeting": (
        live_pb2.StreamMeetingRequest,
        b"\x0a\x05abc",
        "body: not a valid request message",
    ),
    "/meetra.v1.Unknown/Method": (meetings_pb2.GetMeetingStatusRequest, b"\xff", "body: not a valid request message"),
}


@pytest.mark.parametrize("method", SENT)
def test_the_parameter_at_fault_is_named(method: str) -> None:
    kind, data, message = SENT[method]
    deserialize = wrap_deserializer(method, kind.FromString)
    assert deserialize is not None
    with pytest.raises(BadRequest) as raised:
        require_decoded(deserialize(data))
    assert raised.value.message.startswith(f"Bad request: {message}")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_in_the_deserializer(data: bytes) -> None:
    deserialize = wrap_deserializer(STATUS, meetings_pb2.GetMeetingStatusRequest.FromString)
    assert deserialize is not None
    assert isinstance(deserialize(data), Undecodable | meetings_pb2.GetMeetingStatusRequest)


async def test_a_stream_ends_at_the_first_message_that_is_none() -> None:
    deserialize = wrap_deserializer(STATUS, meetings_pb2.GetMeetingStatusRequest.FromString)
    assert deserialize is not None

    async def sent() -> AsyncIterator[object]:
        for data in (b"", b"\x0a\x01\xff", b""):
            yield deserialize(data)

    requests = require_all_decoded(sent())
    assert isinstance(await anext(requests), meetings_pb2.GetMeetingStatusRequest)
    with pytest.raises(BadRequest, match="file-hash"):
        await anext(requests)

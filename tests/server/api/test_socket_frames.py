"""Frames of a WebSocket: what is none is refused by its name, whatever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.json_format import MessageToJson
from hypothesis import given
from hypothesis import strategies as st
from meetra.v1 import errors_pb2
from meetra.v1 import live_pb2 as pb

from server.api.socket_frames import (
    MAX_CLOSE_REASON,
    MAX_TEXT,
    MAX_VALUES,
    close_code,
    close_reason,
    read_frame,
    write_frame,
)
from server.errors import BadRequest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["config", "audio", "control", "tracks", "data", "first_sample", "x"]), inner)
    ),
    max_leaves=12,
)


def read_or_refused(frame: str | bytes) -> None:
    try:
        assert isinstance(read_frame(frame), pb.StreamMeetingRequest)
    except BadRequest as error:
        assert error.parameter  # noqa: PT017 - what matters is that nothing else is raised


@given(st.text(max_size=400) | st.binary(max_size=400))
def test_anything_is_a_message_or_refused(frame: str | bytes) -> None:
    read_or_refused(frame)


@given(JSON, st.binary(max_size=20))
def test_any_json_is_a_message_or_refused(value: Any, data: bytes) -> None:
    text = json.dumps(value)
    read_or_refused(text)
    read_or_refused(text.encode() + b"\n" + data)


@given(st.text("abc.-_", max_size=64), st.integers(0, 2**32 - 1), st.binary(max_size=4000), st.booleans())
def test_audio_is_what_was_sent(track_id: str, first: int, data: bytes, prefixed: bool) -> None:
    head = json.dumps({"track_id": track_id, "first_sample": first, "length_prefixed": prefixed})
    found = read_frame(head.encode() + b"\n" + data).audio
    assert (found.track_id, found.first_sample, found.data, found.length_prefixed) == (track_id, first, data, prefixed)


def test_a_head_of_any_length_ends_within_a_kilobyte() -> None:
    with pytest.raises(BadRequest, match="line of JSON"):
        read_frame(b'{"track_id":"' + b"x" * 2000 + b'"}\n')


def test_answers_are_as_rest_has_them() -> None:
    position = pb.TrackPosition(track_id="mic", next_sample=4_000_000_000)
    told = json.loads(write_frame(pb.StreamMeetingResponse(ack=pb.Ack(tracks=[position]))))
    assert told == {
        "ack": {"tracks": [{"track_id": "mic", "next_sample": 4_000_000_000}], "lag_ms": 0, "words_lag_ms": 0}
    }
    turn = pb.LiveTurn(segment_id=1, state=pb.LIVE_TURN_STATE_PARTIAL)
    event = json.loads(write_frame(pb.StreamMeetingResponse(event=pb.LiveEvent(event_seq=1, turn=turn))))["event"]
    assert (event["turn"]["state"], event["turn"]["words"], event["turn"]["alias"]) == (
        "LIVE_TURN_STATE_PARTIAL",
        [],
        "",
    )


def test_every_reason_has_a_close_code_and_every_text_has_room() -> None:
    for name, number in errors_pb2.ErrorReason.items():
        assert close_code(name.removeprefix("ERROR_REASON_")) == 4000 + number
        assert 4000 <= 4000 + number <= 4999
    for text in ("x" * 500, "ä" * 500, "😀" * 500):
        cut = close_reason("AUDIO_GAP", text)
        assert cut.startswith("AUDIO_GAP: ")
        assert MAX_CLOSE_REASON - 4 < len(cut.encode()) <= MAX_CLOSE_REASON


LONG = {
    "objects": '{"config":{"tracks":[' + "{}," * MAX_VALUES + "{}]}}",
    "texts": '{"add_track":{"channel_names":[' + '"",' * MAX_VALUES + '""]}}',
    "members": json.dumps({"config": {f"x{number}": 0 for number in range(MAX_VALUES)}}),
    "lists in lists": json.dumps({"config": {"tracks": [[0] * 50] * 50}}),
    "not known": json.dumps({"config": {}, "x": [0] * MAX_VALUES}),
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_more_values_than_any_message_has_never_reach_its_parser(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_format, "Parse", lambda *_, **__: pytest.fail("it is parsed"))
    with pytest.raises(BadRequest, match=f"more than {MAX_VALUES}"):
        read_frame(text)


def test_a_longer_text_than_any_message_has_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("it is parsed"))
    for text in ("{" + " " * MAX_TEXT, '{"' + "ä" * (MAX_TEXT // 2)):
        with pytest.raises(BadRequest, match=f"at most {MAX_TEXT}"):
            read_frame(text)


def test_the_largest_messages_are_taken() -> None:
    whole = pb.AudioChunk(track_id="t" * 64, first_sample=2**32 - 1, data=bytes(65_536), captured_ms=2**32 - 1)
    assert read_frame(MessageToJson(pb.StreamMeetingRequest(audio=whole))).audio == whole
    track = {
        field.name: "TRACK_KIND_MIXED" if field.name == "kind" else "1" for field in pb.TrackConfig.DESCRIPTOR.fields
    }
    tracks = [{**track, "encoding": 1, "channel_use": 1, "channel_names": ["name"] * 8}] * 32
    rules = [{"id": "x", "phrase": {"phrases": ["some words that are said"] * 20, "alias": "somebody"}}] * 32
    config = {
        **dict.fromkeys((field.name for field in pb.LiveConfig.DESCRIPTOR.fields), 1),
        **{"session_id": "", "take_over": True, "name": "x" * 500, "date": "", "language": "en", "redact": "name"},
        **{"tracks": tracks, "rules": rules, "key_terms": ["é" * 100] * 100, "consent": ["x" * 500] * 20},
    }
    read = read_frame(json.dumps({"config": config}, ensure_ascii=False)).config
    assert (len(read.tracks), len(read.rules), len(read.rules[31].phrase.phrases)) == (32, 32, 20)

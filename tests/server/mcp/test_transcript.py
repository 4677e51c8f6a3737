"""Transcripts in parts."""

from __future__ import annotations

from meetra.v1 import insights_pb2, speakers_pb2

from server.mcp import transcript
from server.mcp.transcript import statements_from

SPEAKERS = speakers_pb2.ListSpeakersResponse(speakers=[speakers_pb2.Speaker(id="a", alias="Ada")])


def said(*entries: tuple[str, str, str]) -> insights_pb2.GetTranscriptionResponse:
    """From (speaker, clock, text)."""
    message = insights_pb2.GetTranscriptionResponse()
    for speaker, clock, text in entries:
        message.transcription.add(speaker=speaker, start_timestamp=clock, transcription=text)
    return message


def test_statements_have_names_and_times() -> None:
    told = said(("a", "00:00:01", "Hello."), ("b", "01:02:03", "Hi."))
    assert statements_from(told, SPEAKERS, 0) == {
        "statements": [
            {"speaker": "Ada", "start_ms": 1000, "text": "Hello."},
            {"speaker": "", "start_ms": 3723000, "text": "Hi."},
        ],
        "next_start_ms": None,
    }
    assert statements_from(said(), SPEAKERS, 0) == {"statements": [], "next_start_ms": None}


def test_the_parts_of_a_long_one_are_all_of_it() -> None:
    # Two begin in the same second, where a part would end.
    long = "x" * (transcript.MAX_CHARACTERS // 2)
    told = said(*(("a", f"00:00:{second:02}", f"{number} {long}") for number, second in enumerate((1, 2, 2, 3, 4))))
    texts, start = [], 0
    while True:
        part = statements_from(told, SPEAKERS, start)
        assert part["statements"]
        texts += [one["text"].split()[0] for one in part["statements"]]
        if part["next_start_ms"] is None:
            break
        assert part["next_start_ms"] > start
        start = part["next_start_ms"]
    assert texts == ["0", "1", "2", "3", "4"]

"""Texts of other people on a terminal: shown, and harmless."""

from __future__ import annotations

import io
import json

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from meetra.v1 import insights_pb2 as pb
from meetra.v1 import live_pb2, meetings_pb2
from rich.console import Console

from cli.live_view import PlainLines
from cli.terminal_text import as_json, escape_lines, escape_message
from meetra_client import event_from

# Clears the screen, in seven bits and in eight; changes the title; reverses what follows.
NASTY = "a\x1b[2J\x9b2J\x1b]0;title\x07\u202ez"
SHOWN = "a\\x1b[2J\\x9b2J\\x1b]0;title\\x07\\u202ez"


def test_texts_are_escaped_wherever_they_are_in_a_message() -> None:
    struct = Struct()
    struct.update({"list": [NASTY, {"deep": NASTY}], "number": 1})
    assert MessageToDict(escape_message(struct)) == {"list": [SHOWN, {"deep": SHOWN}], "number": 1}
    topic = pb.Topic(topic=NASTY, keywords=[NASTY, "plain"], start=5)
    assert escape_message(topic) == pb.Topic(topic=SHOWN, keywords=[SHOWN, "plain"], start=5)
    summaries = pb.GetTextSummariesResponse()
    summaries.text_summary["Meeting summary"].append(NASTY)
    assert list(escape_message(summaries).text_summary["Meeting summary"]) == [SHOWN]
    assert topic.topic == NASTY, "the message itself stays as it was"


def test_messages_without_texts_are_the_same() -> None:
    for message in (live_pb2.LiveEvent(), meetings_pb2.GetMeetingStatusResponse(progress_percent=3)):
        assert escape_message(message) == message


def test_lines_stay_lines() -> None:
    assert escape_lines(f"one\n{NASTY}\n") == f"one\n{SHOWN}\n"


def test_json_of_nasty_texts_is_harmless_and_the_same_value() -> None:
    value = {"text": [NASTY, "naïve 🎈 \U000e0041 \x7f"], NASTY: 1}
    for indent in (None, 2):
        written = as_json(value, indent=indent)
        assert json.loads(written) == value
        assert all(character.isprintable() or character == "\n" for character in written)
        assert "naïve 🎈" in written


def test_words_of_a_live_meeting_cannot_act_on_the_terminal() -> None:
    turn = live_pb2.LiveTurn(
        segment_id=1, state=live_pb2.LIVE_TURN_STATE_FINAL, alias=NASTY, words=[live_pb2.LiveWord(text=NASTY)]
    )
    written = io.StringIO()
    view = PlainLines(Console(file=written, width=300))
    view.event(event_from(live_pb2.LiveEvent(turn=turn)))
    view.event(event_from(live_pb2.LiveEvent(warning=live_pb2.Warning(text=NASTY))))
    assert written.getvalue() == f"00:00  {SHOWN}: {SHOWN}\nWarning: {SHOWN}\n"


def test_right_to_left_words_stay_one_text() -> None:
    turn = live_pb2.LiveTurn(words=[live_pb2.LiveWord(text=word) for word in ("שלום", "עולם")])
    assert escape_message(turn) == turn

"""What `meetra stream` prints of words that change while a meeting goes on."""

from __future__ import annotations

from io import StringIO

import pytest
from meetra.v1 import live_pb2 as pb
from meetra.v1 import rules_pb2
from rich.console import Console

from cli.live_view import PlainLines
from meetra_client import event_from

PARTIAL, STABLE, FINAL, RETRACTED = (
    pb.LIVE_TURN_STATE_PARTIAL,
    pb.LIVE_TURN_STATE_STABLE,
    pb.LIVE_TURN_STATE_FINAL,
    pb.LIVE_TURN_STATE_RETRACTED,
)


def turn(text: str, state: pb.LiveTurnState.ValueType = STABLE, *, number: int = 1, alias: str = "Ada") -> pb.LiveEvent:
    """A turn from 60 to 65 s."""
    words = [pb.LiveWord(text=word) for word in text.split()]
    said = pb.LiveTurn(segment_id=number, state=state, alias=alias, start_ms=60_000, end_ms=65_000, words=words)
    return pb.LiveEvent(turn=said)


def words_final(through_ms: int) -> pb.LiveEvent:
    return pb.LiveEvent(watermark=pb.Watermark(words_final_through_ms=through_ms))


def printed(*events: pb.LiveEvent) -> list[str]:
    """The lines that come of events."""
    written = StringIO()
    view = PlainLines(Console(file=written, width=200))
    for event in events:
        view.event(event_from(event))
    return written.getvalue().splitlines()


def test_a_turn_is_printed_when_it_has_ended_and_again_once_its_final_words_are_others() -> None:
    assert printed(
        turn("good", PARTIAL),
        turn("good mourning"),
        turn("good morn in"),
        words_final(64_999),
        turn("Good morning."),
        words_final(65_000),
        words_final(70_000),
        turn("Good morning.", FINAL),
    ) == ["01:00  Ada: good mourning", "01:00  Ada: Good morning.  (now)"]


def test_words_that_come_to_what_they_were_are_printed_once() -> None:
    assert printed(turn("good morning"), turn("good mourning"), turn("good morning"), words_final(65_000)) == [
        "01:00  Ada: good morning"
    ]


def test_a_speaker_who_changes_after_the_words_are_final_is_printed_at_once() -> None:
    events = (words_final(65_000), turn("Good morning."), turn("Good morning.", alias="Ben"))
    assert printed(*events) == ["01:00  Ada: Good morning.", "01:00  Ben: Good morning.  (now)"]


def test_a_turn_that_was_none_is_forgotten() -> None:
    assert printed(turn("hm"), turn("ah"), turn("", RETRACTED), words_final(65_000)) == ["01:00  Ada: hm"]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (pb.LiveLanguage(track_id="mix", language="de", confidence=0.974), "Language on mix: de (97%)"),
        (pb.LiveLanguage(track_id="mix", language="de"), "Language on mix: de"),
    ],
)
def test_a_language_is_printed(said: pb.LiveLanguage, line: str) -> None:
    assert printed(pb.LiveEvent(language=said)) == [line]


def changed(change: pb.TrackChange.ValueType, **track: object) -> pb.LiveEvent:
    return pb.LiveEvent(track=pb.LiveTrackChange(change=change, track=pb.LiveTrackState(**track)))  # type: ignore[arg-type]


def test_who_joins_leaves_and_is_renamed_is_printed() -> None:
    assert printed(
        changed(pb.TRACK_CHANGE_ADDED, track_id="ben", participant_name="B\x1b[2Jen"),
        changed(pb.TRACK_CHANGE_RENAMED, track_id="ben", participant_name="Benedict"),
        changed(pb.TRACK_CHANGE_RENAMED, track_id="ben"),
        changed(pb.TRACK_CHANGE_ENDED, track_id="ben"),
        changed(pb.TRACK_CHANGE_ENDED, track_id="call", channel_names=["Ada", "", "Cyd"]),
        changed(pb.TrackChange.ValueType(9), track_id="ben"),
    ) == [
        "Joined: ben, B\\x1b[2Jen",
        "Renamed: ben is Benedict",
        "Renamed: ben is without a name",
        "Left: ben",
        "Left: call, Ada / Cyd",
        "Track ben: unknown_9",
    ]


def test_a_name_neither_acts_on_the_terminal_nor_turns_its_line() -> None:
    lines = printed(words_final(65_000), turn("hello", alias="\x1b[2J[/b]שרה"))
    assert lines == ["01:00  \u2068\\x1b[2J[/b]שרה\u2069: hello"]


def test_an_alert_is_printed_once_and_again_where_it_is_withdrawn() -> None:
    def alert(id_: int, state: rules_pb2.LiveAlertState.ValueType, text: str) -> pb.LiveEvent:
        return pb.LiveEvent(
            alert=rules_pb2.LiveAlert(alert_id=id_, state=state, rule_id="price", start_ms=61_000, text=text)
        )

    assert printed(
        alert(1, rules_pb2.LIVE_ALERT_STATE_PROVISIONAL, "Ada said “too much”."),
        alert(1, rules_pb2.LIVE_ALERT_STATE_FINAL, "Ada said “too much”."),
        alert(2, rules_pb2.LIVE_ALERT_STATE_PROVISIONAL, "\x1b[2JBen said “discount”."),
        alert(2, rules_pb2.LIVE_ALERT_STATE_WITHDRAWN, "“discount” was not said after all."),
    ) == [
        "01:01  ! Ada said “too much”.  [price]",
        "01:01  ! \\x1b[2JBen said “discount”.  [price]",
        "01:01  ! “discount” was not said after all.  [price]",
    ]

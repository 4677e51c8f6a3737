"""The board of `meetra stream`, in terminals of several sizes."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from google.protobuf.json_format import MessageToJson
from meetra.v1 import live_pb2 as pb

from tests.terminals import Terminal, terminal

PARTIAL, STABLE = pb.LIVE_TURN_STATE_PARTIAL, pb.LIVE_TURN_STATE_STABLE
SIZES = [(20, 5), (40, 10), (80, 24), (200, 60), (7, 2)]
COMMAND = [sys.executable, "-m", "tests.cli.board_child"]


def turn(
    number: int, text: str, state: pb.LiveTurnState.ValueType = STABLE, *, alias: str = "Ada", end_ms: int = 0
) -> pb.LiveEvent:
    words = [pb.LiveWord(text=word) for word in text.split()]
    end_ms = end_ms or 5_000 * number
    made = pb.LiveTurn(segment_id=number, state=state, speaker_id=alias, alias=alias, end_ms=end_ms, words=words)
    made.start_ms = max(0, end_ms - 4_000)
    return pb.LiveEvent(turn=made)


def told(board: Terminal, *events: pb.LiveEvent) -> None:
    for event in events:
        board.input.write(MessageToJson(event, indent=None).encode() + b"\n")
    board.input.flush()


def insights() -> pb.LiveEvent:
    speakers = [
        pb.LiveSpeaker(speaker_id=name, alias=name, speaking_percentage=share, speaking_ms=round(share * 100))
        for name, share in (("Ada", 50.0), ("Ben", 30.0), ("Cyd", 20.0))
    ]
    return pb.LiveEvent(insights=pb.LiveInsights(speakers=speakers, floor_speaker_id="Ada"))


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def board(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    columns, lines = request.param
    with terminal(COMMAND, columns, lines, piped_input=True) as made:
        yield made


def test_the_newest_words_are_seen_in_a_window_of_any_size(board: Terminal) -> None:
    told(board, insights(), *(pb.LiveEvent(warning=pb.Warning(text=f"warning {n} " * 9)) for n in range(9)))
    told(board, *(turn(number, "words that came long before the newest ones " * 5) for number in range(1, 60)))
    told(board, turn(60, "and these are the last newest", PARTIAL))
    board.wait_until(lambda lines: any(line.endswith("newest") for line in lines))
    # They may grow at the end of a long turn, beside a later and shorter one.
    told(board, turn(61, "yes"), turn(60, "and these are the last newest " * 40 + "zebra", PARTIAL, end_ms=400_000))
    board.wait_until(lambda lines: any("zebra" in line for line in lines))


@pytest.mark.parametrize(
    ("before", "after"),
    [((80, 24), (20, 5)), ((20, 5), (100, 30)), ((80, 24), (79, 23)), ((200, 60), (40, 10))],
    ids=["to small", "to large", "by one", "to a fifth"],
)
def test_nothing_is_left_of_another_size(before: tuple[int, int], after: tuple[int, int]) -> None:
    with terminal(COMMAND, *before, piped_input=True) as board:
        told(board, insights(), *(turn(number, f"said by the {number}th " * 3) for number in range(1, 30)))
        board.wait_until(lambda lines: any("29th" in line for line in lines))
        board.resize(*after)
        # Each cell of the new window held a mark.
        board.wait_until(lambda lines: not any("#" in line for line in lines))
        with terminal(COMMAND, *after, piped_input=True) as other:
            told(other, insights(), *(turn(number, f"said by the {number}th " * 3) for number in range(1, 30)))
            # The clock of the first line differs.
            other.wait_until(lambda lines: lines[1:] == board.shown()[1:])


def test_only_who_speaks_is_marked() -> None:
    with terminal(COMMAND, 80, 24, piped_input=True) as board:
        told(board, insights(), turn(1, "all said", PARTIAL, alias="Ben"), turn(3, "I speak", PARTIAL, alias="Ada"))
        lines = board.wait_until(lambda lines: any("● Ada" in line for line in lines[1:]))
        # Ben's words are still awaited, but he has ended long before.
        assert [line for line in lines if "● Ben" in line or "● Cyd" in line] == []
        assert "● Ada" in lines[0]
        # Nobody says anything more: Ada is silent as well, though her turn has not been settled.
        board.wait_until(lambda lines: not any("●" in line for line in lines))
        told(board, turn(4, "me too", PARTIAL, alias="Cyd"))
        board.wait_until(lambda lines: "● Cyd" in lines[0])


def test_who_joins_is_told_beside_the_words() -> None:
    with terminal(COMMAND, 80, 24, piped_input=True) as board:
        track = pb.LiveTrackState(track_id="ben", participant_name="Ben")
        told(board, pb.LiveEvent(track=pb.LiveTrackChange(change=pb.TRACK_CHANGE_ADDED, track=track)))
        board.wait_until(lambda lines: "! Joined: ben, Ben" in [line.rstrip() for line in lines])


def test_the_window_is_given_back(board: Terminal) -> None:
    told(board, turn(1, "good morning"))
    board.wait_until(lambda lines: any("morning" in line for line in lines))
    board.input.close()
    assert board.end() == 0
    assert b"\x1b[?1049h" in board.written
    assert board.written.rindex(b"\x1b[?1049l") < board.written.rindex(b"over")

"""What clients were told, compared with what is stored, and with meetings that nothing disturbed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from meetra.v1 import live_pb2 as pb

from benchmarks.told_events import final_turns, wrong_events
from meetra_client import Event
from meetra_client.event_messages import event_from
from server.conversation import TurnState, Word
from server.live.turn_snapshot import TurnSnapshot
from server.live.turns import MeetingTurns
from tests.server.live.live_configs import MIXED, of_kinds

S = 1_000_000


def said(end_s: int, state: TurnState) -> TurnSnapshot:
    words = tuple(Word(f"word{n}", n * S, (n + 1) * S, None) for n in range(end_s))
    return TurnSnapshot(1, 0, state, 1, 0, end_s * S, words)


def told_of(meeting: int, *turns: TurnSnapshot) -> list[Event]:
    """What a client is told of a turn as it grows, and numbers as the server gives them."""
    published, events = MeetingTurns(of_kinds(MIXED), UUID(int=meeting)), list[pb.LiveEvent]()
    for turn in turns:
        published.update(turn)
        events += published.changes()
    return [event_from(numbered(event, number)) for number, event in enumerate(events, 1)]


def numbered(event: pb.LiveEvent, number: int, left_out: int = 0) -> pb.LiveEvent:
    made = pb.LiveEvent()
    made.CopyFrom(event)
    made.event_seq, made.left_out = number, left_out
    return made


def stored(events: Sequence[Event]) -> dict[int, bytes]:
    return {event.event_seq: event.raw.SerializeToString() for event in events}


def test_a_pause_of_the_network_changes_ids_and_not_the_turns_that_are_told_in_the_end() -> None:
    final = said(6, TurnState.FINAL)
    undisturbed = told_of(1, said(6, TurnState.PARTIAL), final)
    # Nothing came for a second: the turn seemed to have ended, and went on.
    held_up = told_of(2, said(3, TurnState.STABLE), said(6, TurnState.PARTIAL), final)
    ids = [
        {event.raw.turn.segment_id for event in told if event.raw.HasField("turn")} for told in (undisturbed, held_up)
    ]
    assert ids == [{1}, {1, 2}]
    assert final_turns(held_up) == final_turns(undisturbed) != []


@pytest.mark.parametrize(
    "last",
    [
        said(5, TurnState.FINAL),
        replace(said(6, TurnState.FINAL), words=()),
        said(6, TurnState.STABLE),
        replace(said(6, TurnState.FINAL), state=TurnState.RETRACTED),
    ],
    ids=["shorter", "without words", "not final", "taken back"],
)
def test_other_turns_than_those_of_the_undisturbed_meeting_are_found(last: TurnSnapshot) -> None:
    beginning = said(6, TurnState.PARTIAL)
    assert final_turns(told_of(2, beginning, last)) != final_turns(told_of(1, beginning, said(6, TurnState.FINAL)))


def test_speakers_are_compared_by_who_spoke_first() -> None:
    def two(first: int, second: int) -> list[Event]:
        later = replace(said(6, TurnState.FINAL), segment_id=2, start_us=7 * S, end_us=9 * S, speaker=second)
        return told_of(first, replace(said(6, TurnState.FINAL), speaker=first), later)

    assert final_turns(two(1, 2)) == final_turns(two(2, 1)) != final_turns(two(1, 1))


def test_events_are_counted_that_are_not_stored_as_they_were_told() -> None:
    told = told_of(1, said(3, TurnState.PARTIAL), said(6, TurnState.STABLE))
    before = stored(told)
    assert wrong_events(told, before) == 0
    # Who reads again after the end is told how many are missing before one.
    again = event_from(numbered(told[0].raw, 1, left_out=3))
    assert wrong_events([again], before) == 0
    assert wrong_events([*told, told[-1]], before) == 1
    assert wrong_events(told, {1: before[1]}) == 1
    another = numbered(told[1].raw, 1).SerializeToString()
    assert wrong_events(told, before | {1: another}) == 1

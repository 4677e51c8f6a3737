"""The fold, and what it makes: no order, repetition or replay of events changes a conversation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import (
    FinishedEvent,
    ReadyEvent,
    Segment,
    TurnEvent,
    TurnState,
    fold,
)
from server.conversation.fold import Event, IncompleteSession
from tests.server.conversation.spoken import ENGINE, turn_events


@given(st.lists(turn_events, max_size=20, unique_by=lambda e: (e.segment.segment_id, e.revision)), st.randoms())
def test_the_fold_knows_no_order_and_no_repetition(said: list[TurnEvent], random: object) -> None:
    whole: list[Event] = [ReadyEvent(ENGINE), *said, FinishedEvent(10**8)]
    shuffled = whole * 2
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(shuffled) == fold(whole)


def test_the_highest_revision_is_the_segment_and_partial_ones_are_left_out() -> None:
    said: list[Event] = [
        ReadyEvent(ENGINE),
        TurnEvent(2, TurnState.FINAL, Segment(1, 2, 0, 5)),
        TurnEvent(1, TurnState.STABLE, Segment(1, 1, 0, 5)),
        TurnEvent(1, TurnState.PARTIAL, Segment(2, 3, 5, 9)),
        FinishedEvent(9),
    ]
    folded = fold(said)
    assert [segment.speaker for segment in folded.segments] == [2]
    assert folded.speakers == (2,)


def test_a_session_that_never_finished_is_no_conversation() -> None:
    with pytest.raises(IncompleteSession):
        fold([ReadyEvent(ENGINE)])

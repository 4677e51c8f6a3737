"""The conversation itself: its document, and intervals of time."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from server.conversation import (
    Conversation,
    FinishedEvent,
    Interval,
    ReadyEvent,
    TurnEvent,
    fold,
    merge_intervals,
)
from tests.server.conversation.spoken import ENGINE, turn_events


@given(st.lists(turn_events, max_size=20))
def test_a_conversation_survives_its_document(said: list[TurnEvent]) -> None:
    folded = fold([ReadyEvent(ENGINE), *said, FinishedEvent(10**8)])
    assert Conversation.from_document(folded.to_document()) == folded


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 20)), max_size=20), st.integers(0, 5))
def test_merged_intervals_are_apart_and_cover_the_same(parts: list[tuple[int, int]], gap: int) -> None:
    given_intervals = [Interval(start, start + length) for start, length in parts]
    merged = merge_intervals(given_intervals, gap)
    assert all(b.start_us - a.end_us >= max(gap, 1) for a, b in pairwise(merged))
    assert all(any(m.start_us <= i.start_us and i.end_us <= m.end_us for m in merged) for i in given_intervals)

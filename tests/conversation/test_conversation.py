"""The fold, and what it makes: no order, repetition or replay of events changes a conversation."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import (
    Conversation,
    EngineCapabilities,
    FinishedEvent,
    Interval,
    ReadyEvent,
    Segment,
    TurnEvent,
    TurnState,
    Word,
    find_turns,
    find_utterances,
    fold,
    merge_intervals,
)
from server.conversation.fold import Event, IncompleteSession

ENGINE = EngineCapabilities(models=("m",), languages=("en",), max_speakers=8)
S = 1_000_000


def conversation(*spoken: tuple[int, float, float], duration_s: float = 120.0) -> Conversation:
    """From (speaker, start s, end s)."""
    segments = tuple(
        Segment(i, speaker, round(a * S), round(b * S)) for i, (speaker, a, b) in enumerate(spoken, start=1)
    )
    heard = tuple(dict.fromkeys(s.speaker for s in sorted(segments, key=lambda s: s.start_us) if s.speaker))
    return Conversation(round(duration_s * S), heard, segments, ENGINE)


segments = st.builds(
    lambda i, speaker, start, length: Segment(i, speaker, start, start + length, (Word("w", start, start, 0.5),)),
    st.integers(1, 20),
    st.integers(0, 5),
    st.integers(0, 10**8),
    st.integers(0, 10**7),
)
turn_events = st.builds(TurnEvent, st.integers(1, 3), st.sampled_from(TurnState), segments)


@given(st.lists(turn_events, max_size=20, unique_by=lambda e: (e.segment.segment_id, e.revision)), st.randoms())
def test_the_fold_knows_no_order_and_no_repetition(said: list[TurnEvent], random: object) -> None:
    whole: list[Event] = [ReadyEvent(ENGINE), *said, FinishedEvent(10**8)]
    shuffled = whole * 2
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(shuffled) == fold(whole)


@given(st.lists(turn_events, max_size=20))
def test_a_conversation_survives_its_document(said: list[TurnEvent]) -> None:
    folded = fold([ReadyEvent(ENGINE), *said, FinishedEvent(10**8)])
    assert Conversation.from_document(folded.to_document()) == folded


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


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 20)), max_size=20), st.integers(0, 5))
def test_merged_intervals_are_apart_and_cover_the_same(parts: list[tuple[int, int]], gap: int) -> None:
    given_intervals = [Interval(start, start + length) for start, length in parts]
    merged = merge_intervals(given_intervals, gap)
    assert all(b.start_us - a.end_us >= max(gap, 1) for a, b in pairwise(merged))
    assert all(any(m.start_us <= i.start_us and i.end_us <= m.end_us for m in merged) for i in given_intervals)


def test_utterances_join_over_short_gaps_and_backchannels_take_no_turn() -> None:
    talk = conversation((1, 0, 3), (1, 3.4, 6), (2, 6.2, 6.9), (1, 7, 9), (2, 9.5, 12))
    spoken = find_utterances(talk)
    assert [(u.speaker, u.start_us / S, u.end_us / S) for u in spoken] == [
        (1, 0, 6),
        (2, 6.2, 6.9),
        (1, 7, 9),
        (2, 9.5, 12),
    ]
    assert [(t.speaker, t.start_us / S, t.end_us / S) for t in find_turns(spoken)] == [(1, 0, 9), (2, 9.5, 12)]

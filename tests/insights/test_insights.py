"""The scores: hand-computed cases, and properties that hold for any conversation."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import Conversation, Segment, Word
from server.insights import FAMILIES
from server.insights.balance import balance, gini
from server.insights.interaction import interaction_map, interaction_score
from server.insights.shares import percentages, shares
from server.insights.transcript import transcript
from tests.conversation.test_conversation import ENGINE, S, conversation

spoken = st.lists(
    st.tuples(st.integers(1, 6), st.floats(0, 600, allow_nan=False), st.floats(0, 60, allow_nan=False)), max_size=30
)
conversations = st.builds(lambda parts: conversation(*((s, a, a + n) for s, a, n in parts), duration_s=700.0), spoken)


def test_equal_shares_are_balanced_and_unequal_ones_by_their_entropy() -> None:
    assert balance(conversation((1, 0, 10), (2, 10, 20))).score == 100
    expected = -100 * (0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)
    assert balance(conversation((1, 0, 15), (2, 15, 20))).score == round(expected, 2)


def test_gini_of_one_who_has_all() -> None:
    assert gini([0, 0, 0, 8]) == pytest.approx(0.75)
    assert gini([5, 5]) == 0


def test_interaction_of_a_hand_computed_talk() -> None:
    # 4 utterances, 4 turns, 3 switches in 2 minutes; exchanges 1-2: 2, 2-3: 1, 1-3: 0.
    talk = conversation((1, 0, 10), (2, 11, 20), (1, 21, 30), (2, 31, 40), (3, 41, 50))
    parts = {c.name: c.value for c in interaction_score(talk).components}
    assert parts["turn_taking"] == 1
    assert parts["switch_rate"] == pytest.approx(4 / 2 / 10)
    assert parts["participation"] == 1
    p = (3 / 4, 1 / 4)
    assert parts["evenness"] == pytest.approx(-sum(x * math.log(x) for x in p) / math.log(3))
    assert interaction_score(talk).score == round(25 * sum(parts.values()), 2)
    assert [(n.between, n.value) for n in interaction_map(talk).nodes] == [((1, 2), 100), ((1, 3), 0), ((2, 3), 33)]


@pytest.mark.parametrize("parts", [[], [(1, 0, 60)], [(1, 0, 4), (2, 4, 8)]])
def test_too_little_support_is_zero_and_says_why(parts: list[tuple[int, float, float]]) -> None:
    for score in (balance(conversation(*parts)), interaction_score(conversation(*parts))):
        assert score.score == 0
        assert not score.support.sufficient
        assert score.support.reason


@given(conversations)
def test_scores_stay_in_range_and_weights_sum_to_one(talk: Conversation) -> None:
    for score in (balance(talk), interaction_score(talk)):
        assert 0 <= score.score <= 100
        assert sum(c.weight for c in score.components) == pytest.approx(1)
        assert all(0 <= c.value <= 1 for c in score.components)


@given(conversations, st.permutations(range(1, 7)))
def test_scores_do_not_depend_on_what_speakers_are_called(talk: Conversation, names: list[int]) -> None:
    renamed = replace(
        talk,
        speakers=tuple(names[s - 1] for s in talk.speakers),
        segments=tuple(replace(s, speaker=names[s.speaker - 1]) for s in talk.segments),
    )
    # Two people who begin at the same instant are ordered by number: such ties are set apart.
    if len({s.start_us for s in talk.segments}) == len(talk.segments):
        assert balance(renamed).score == pytest.approx(balance(talk).score)
        assert interaction_score(renamed).score == pytest.approx(interaction_score(talk).score)


@given(conversations, st.integers(0, 10**9))
def test_scores_do_not_depend_on_when_the_talk_begins(talk: Conversation, shift: int) -> None:
    later = replace(
        talk, segments=tuple(replace(s, start_us=s.start_us + shift, end_us=s.end_us + shift) for s in talk.segments)
    )
    assert balance(later) == balance(talk)
    assert interaction_score(later) == interaction_score(talk)


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=100))
def test_percentages_sum_to_exactly_100(amounts: list[int]) -> None:
    found = percentages(amounts)
    assert sum(round(p * 100) for p in found) == (10_000 if sum(amounts) else 0)
    assert all(abs(p - 100 * a / (sum(amounts) or 1)) <= 0.01 + 1e-9 for p, a in zip(found, amounts, strict=True))


@given(conversations)
def test_the_map_holds_every_pair_once(talk: Conversation) -> None:
    n = len(talk.speakers)
    nodes = interaction_map(talk).nodes
    assert len({frozenset(node.between) for node in nodes}) == len(nodes) == n * (n - 1) // 2
    assert max((node.value for node in nodes), default=0) in (0, 100)


def test_a_hundred_speakers_and_silence_are_no_trouble() -> None:
    crowd = conversation(*((i, i * 2, i * 2 + 1.5) for i in range(1, 101)), duration_s=300)
    assert balance(crowd).score == pytest.approx(100)
    assert len(interaction_map(crowd).nodes) == 4950
    silence = conversation()
    assert all(family.compute(silence) for family in FAMILIES.values())
    assert shares(silence).speakers == ()


def test_statements_join_one_speakers_segments_and_low_confidence_is_unreliable() -> None:
    def said(number: int, speaker: int, *texts: str) -> Segment:
        start = number * S
        return Segment(number, speaker, start, start + S, tuple(Word(t, start, start + 9, 0.4) for t in texts))

    parts = (said(1, 1, "good"), said(2, 1, "morning"), said(3, 2), said(4, 1, "all"), said(5, 2, "hi"))
    found = transcript(Conversation(10 * S, (1, 2), parts, ENGINE))
    assert [(e.speaker, e.text, e.start_ms) for e in found.entries] == [(1, "good morning all", 1000), (2, "hi", 5000)]
    assert not found.reliable

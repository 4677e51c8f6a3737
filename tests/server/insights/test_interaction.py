"""Who answers whom, how often and how fast: hand-computed cases, and the map of pairs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given

from server.conversation import Conversation
from server.insights.interaction import exchange_counts, interaction_map, interaction_score
from server.insights.timeline import build_timeline
from tests.server.conversation.spoken import conversation
from tests.server.insights.talks import talks


def test_interaction_of_a_hand_computed_talk() -> None:
    # 5 utterances, 5 turns, 4 switches in 2 minutes; exchanges 1-2: 3, 2-3: 1, 1-3: 0.
    talk = build_timeline(conversation((1, 0, 10), (2, 11, 20), (1, 21, 30), (2, 31, 40), (3, 41, 50)))
    parts = {c.name: c.value for c in interaction_score(talk).components}
    assert parts["turn_taking"] == 1
    assert parts["switch_rate"] == pytest.approx(4 / 2 / 10)
    assert parts["participation"] == 1
    p = (3 / 4, 1 / 4)
    assert parts["evenness"] == pytest.approx(-sum(x * math.log(x) for x in p) / math.log(3))
    assert interaction_score(talk).score == round(25 * sum(parts.values()), 2)
    assert [(n.between, n.value) for n in interaction_map(talk).nodes] == [((1, 2), 100), ((1, 3), 0), ((2, 3), 33)]


def test_exchanges_count_changes_within_five_seconds_either_way() -> None:
    talk = build_timeline(conversation((1, 0, 2), (2, 3, 5), (1, 10, 12), (3, 17.1, 19)))
    assert exchange_counts(talk, talk.full_window) == {(1, 2): 2, (1, 3): 0, (2, 3): 0}


@given(talks())
def test_the_map_holds_every_pair_once_and_both_ways_are_one(talk: Conversation) -> None:
    n = len(talk.speakers)
    nodes = interaction_map(build_timeline(talk)).nodes
    assert len({frozenset(node.between) for node in nodes}) == len(nodes) == n * (n - 1) // 2
    assert max((node.value for node in nodes), default=0) in (0, 100)

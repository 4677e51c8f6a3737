"""How evenly the time is shared: hand-computed cases; properties of any talk are in ``test_insights_scores``."""

from __future__ import annotations

import math

import pytest

from server.insights.balance import balance, gini
from server.insights.timeline import build_timeline
from tests.server.conversation.spoken import conversation


def test_equal_shares_are_balanced_and_unequal_ones_by_their_entropy() -> None:
    assert balance(build_timeline(conversation((1, 0, 10), (2, 10, 20)))).score == 100
    expected = -100 * (0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)
    assert balance(build_timeline(conversation((1, 0, 15), (2, 15, 20)))).score == round(expected, 2)


def test_gini_of_one_who_has_all() -> None:
    assert gini([0, 0, 0, 8]) == pytest.approx(0.75)
    assert gini([5, 5]) == 0

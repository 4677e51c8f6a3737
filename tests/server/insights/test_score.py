"""A score is the weighted sum of its components, 0..100, and 0 where too little was said."""

from __future__ import annotations

import pytest

from server.insights.score import Component, weighted_score
from server.insights.timeline import Support

ENOUGH = Support("1", 2, 60.0, True, "")
TOO_LITTLE = Support("1", 1, 3.0, False, "2 speakers are needed, 1 heard")


@pytest.mark.parametrize(
    ("components", "score"),
    [
        ([], 0.0),
        ([(0.5, 1.0)], 50.0),
        ([(1.0, 0.3), (0.5, 0.7)], 65.0),
        # Informative only.
        ([(0.5, 1.0), (1.0, 0.0)], 50.0),
        ([(1 / 3, 1.0)], 33.33),
        # Rounding of values must not lead out of the range.
        ([(1.0000001, 1.0)], 100.0),
        ([(-0.0000001, 1.0)], 0.0),
    ],
)
def test_a_score_is_the_weighted_sum(components: list[tuple[float, float]], score: float) -> None:
    named = tuple(Component(f"c{number}", *each) for number, each in enumerate(components))
    found = weighted_score(named, ENOUGH)
    assert found.score == score
    assert found.to_document()["components"] == [
        {"name": f"c{number}", "value": value, "weight": weight} for number, (value, weight) in enumerate(components)
    ]


def test_without_support_there_are_components_and_no_score() -> None:
    found = weighted_score((Component("evenness", 1.0, 1.0),), TOO_LITTLE)
    assert (found.score, found.to_document()["support"]["reason"]) == (0.0, TOO_LITTLE.reason)
    assert found.components[0].value == 1.0

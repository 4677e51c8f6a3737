"""What the labels of a classifier mean."""

from __future__ import annotations

import pytest

from inference.models import EMOTIONS, ModelUnfit
from inference.text.labels import map_emotions, map_polarities


def test_known_labels() -> None:
    assert [EMOTIONS[place] for place in map_emotions(["Joy", "no emotion", "ang"], {})] == [
        "happiness",
        "neutral",
        "anger",
    ]
    assert map_polarities(["1 star", "2 stars", "5 stars"], {}) == [-1, -0.5, 1]
    five = ["Very Negative", "negative", "neutral", "positive", "very positive"]
    assert map_polarities(five, {}) == [-1, -0.5, 0, 0.5, 1]


@pytest.mark.parametrize(
    ("labels", "given", "said"),
    [
        (["joy"], {"joy": "delight"}, "labels.joy: 'delight' is not one of anger"),
        (["joy"], {"rage": "anger"}, "labels.rage: the classifier has no such label; it has: joy"),
        (["joy", "hangry"], {}, "meaning of the labels hangry is unknown"),
    ],
)
def test_labels_without_a_meaning_are_refused(labels: list[str], given: dict[str, object], said: str) -> None:
    with pytest.raises(ModelUnfit, match=said):
        map_emotions(labels, given)


@pytest.mark.parametrize("value", [2, "delight", True])
def test_a_polarity_is_a_number_of_minus_one_to_one(value: object) -> None:
    with pytest.raises(ModelUnfit, match=r"labels\.a: .* is neither a number of -1 to 1"):
        map_polarities(["a"], {"a": value})

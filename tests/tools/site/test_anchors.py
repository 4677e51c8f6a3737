"""Anchors of headings are those of forges."""

from __future__ import annotations

import pytest

from tools.site.anchors import anchor, slugify


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        pytest.param("The first calls", "the-first-calls", id="words"),
        pytest.param("3. Recogniser: a larger Whisper", "3-recogniser-a-larger-whisper", id="punctuation"),
        pytest.param("A & B", "a--b", id="each space is a hyphen"),
        pytest.param("`make_sample` of Zoë", "make_sample-of-zoë", id="code and letters of any script"),
    ],
)
def test_an_anchor_is_that_of_a_forge(heading: str, expected: str) -> None:
    assert anchor(heading) == expected
    assert slugify()(heading, "_") == expected

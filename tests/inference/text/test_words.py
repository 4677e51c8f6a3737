"""What counts as a word: letters of any script, with an apostrophe inside; digits and signs are none."""

from __future__ import annotations

import pytest

from inference.text.words import word_count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("  ... ", 0),
        ("42 7_000", 0),
        ("we can't, they’ve", 3),
        ("naïve Größe Ελλάδα", 3),
        ("a1b", 2),
        ("rock'n'roll", 2),
    ],
)
def test_words_are_counted(text: str, count: int) -> None:
    assert word_count(text) == count

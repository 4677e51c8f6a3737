"""Digits, written and spoken."""

from __future__ import annotations

import pytest

from server.redaction.spoken_numbers import bare, digit_words, find_digit_groups


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("four one one one", ["4", "1", "1", "1"], id="digits"),
        pytest.param("double five triple oh", ["55", "000"], id="repeats"),
        pytest.param("twenty three forty twelve", ["23", "40", "12"], id="tens and teens"),
        pytest.param("twenty-three eight hundred six thousand", ["23", "800", "6000"], id="hyphens and hundreds"),
        pytest.param("twenty, three", ["20", "3"], id="a comma between"),
        pytest.param("4-1-1-1 4111-1111 4111,1111 (415)", ["4111", "41111111", "41111111", "415"], id="marks between"),
        pytest.param(
            "10:30 2024-11-29 12/05/2024 3.11.4 98.6 192.168.1.1 4th 10am $5 5%", [], id="no digits of a number"
        ),
        pytest.param("double check plus", [], id="repeats and plus of nothing"),
    ],
)
def test_groups(text: str, expected: list[str]) -> None:
    assert [group.digits for group in find_digit_groups(text.split(), "en")] == expected


def test_a_plus_belongs_to_its_digits() -> None:
    written, spoken = find_digit_groups("+49 plus four".split(), "en")
    assert (written.plus, written.digits, spoken.plus, spoken.digits, spoken.first) == (True, "49", True, "4", 1)


def test_amounts_are_marked() -> None:
    (group,) = find_digit_groups(["1,234,567"], "en")
    assert group.amount


def test_the_words_language_comes_first_and_english_is_always_read() -> None:
    assert digit_words("nl")["een"] == "1"
    assert digit_words("de")["seven"] == "7"
    assert digit_words("xx") == digit_words("en") == digit_words("")


def test_punctuation_around_a_word_does_not_matter() -> None:
    assert bare("“Don’t,”") == "don't"

"""Words that may still become a number or an address are held back while they are spoken."""

from __future__ import annotations

import pytest

from server.conversation import RedactionKind
from server.redaction import find_open_tail
from tests.server.redaction.words import spoken

NUMBERS = frozenset([RedactionKind.PHONE, RedactionKind.CARD, RedactionKind.IBAN])
EMAIL = frozenset([RedactionKind.EMAIL])


def shown(text: str, kinds: frozenset[RedactionKind], after_us: int = 0) -> str:
    words = spoken(text)
    return " ".join(w.text for w in words[: find_open_tail(words, kinds, "en", words[-1].end_us + after_us)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("my number is four one five", "my number is", id="digits"),
        pytest.param("my number is 415 um 555 okay", "my number is", id="fillers between and after"),
        pytest.param("it's plus", "it's", id="a plus"),
        pytest.param("the iban is D E eight", "the iban is", id="spelled letters"),
        pytest.param("the iban is DE89 3704", "the iban is", id="an account"),
        pytest.param("at 10 30 we met", "at 10 30 we met", id="digits that were only a time"),
        pytest.param("I think so", "I think so", id="no digits"),
    ],
)
def test_digits_are_held_back(text: str, expected: str) -> None:
    assert shown(text, NUMBERS) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("write to ann dot lee", "write to", id="joined words"),
        pytest.param("write to ann at example", "write to", id="at and the domain's beginning"),
        pytest.param("my email is j o h", "my email", id="spelled after a mention"),
        pytest.param(
            "my email works. We go on with the rest now", "my email works. We go on with the", id="a sentence later"
        ),
        pytest.param("we go on with the rest", "we go on with", id="the last two words"),
        pytest.param("We go on with the rest.", "We go on with the rest.", id="the last words of a sentence"),
    ],
)
def test_addresses_are_held_back(text: str, expected: str) -> None:
    assert shown(text, EMAIL) == expected


def test_a_pause_ends_it() -> None:
    assert shown("my number is four one five", NUMBERS, after_us=8_000_001) == "my number is four one five"
    assert shown("ann at", EMAIL, after_us=8_000_001) == "ann at"


def test_names_alone_hold_nothing_back() -> None:
    assert shown("four one five", frozenset([RedactionKind.NAME])) == "four one five"
    assert find_open_tail([], NUMBERS, "en", 0) == 0

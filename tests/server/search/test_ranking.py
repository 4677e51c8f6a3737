"""The order of what is found."""

from __future__ import annotations

from uuid import UUID

import pytest

from server.search.ranking import distinct, is_worth_showing, relevance, word_shares
from server.storage import TermQueries, WordHit

NOWHERE = UUID(int=0)


def hit(bits: int, alike: int, configuration: str = "english") -> WordHit:
    return WordHit(NOWHERE, 0, configuration, bits, alike)


def test_a_rare_word_counts_more() -> None:
    queries = TermQueries(("english",), (("'rare'", "'common'"),), (frozenset(),))
    shares = word_shares(queries, [hit(0b01, 1), hit(0b10, 500), hit(0b11, 1)], 1000)
    assert shares["english", 0b11] == pytest.approx(1)
    assert shares["english", 0b01] > 0.8 > 0.2 > shares["english", 0b10] > 0


def test_what_is_no_word_in_a_language_is_not_missed_there() -> None:
    queries = TermQueries(("english", "german"), ((None, "'plan'"), ("'di'", "'plan'")), (frozenset(), frozenset()))
    shares = word_shares(queries, [hit(0b10, 3), hit(0b10, 3, "german")], 100)
    assert shares["english", 0b10] == 1
    assert shares["german", 0b10] < 0.6


def test_a_word_of_every_sentence_still_counts() -> None:
    queries = TermQueries(("simple",), (("'a'",),), (frozenset(),))
    assert word_shares(queries, [hit(1, 10, "simple")], 10) == {("simple", 1): 1}
    assert word_shares(queries, [], 0) == {}


def test_words_and_meaning_count_alike() -> None:
    assert relevance(1, 1, 6) == 1
    assert relevance(1, None, 20) == relevance(0, 1, 20) == relevance(1, -0.5, 20) == 0.5


def test_a_sentence_of_a_word_or_two_counts_less() -> None:
    assert relevance(1, 1, 0) == 0.5
    assert relevance(1, 1, 3) == 0.75


def test_a_little_of_both_is_not_shown() -> None:
    assert is_worth_showing(0.25, None)
    assert is_worth_showing(0, 0.3)
    assert not is_worth_showing(0.2, 0.29)
    assert distinct(["b", "a", "b"]) == ["b", "a"]

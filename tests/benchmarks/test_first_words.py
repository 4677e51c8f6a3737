"""A word counts as told for the first time once, however often and however otherwise it is told again."""

from __future__ import annotations

from benchmarks.first_words import FirstWords
from meetra_client import Word


def _words(*times_ms: tuple[int, int]) -> list[Word]:
    return [Word(text="word", start_ms=start, end_ms=end) for start, end in times_ms]


def test_words_told_again_with_other_times_are_not_new() -> None:
    told = FirstWords()
    assert len(told.add(_words((1000, 1300), (1300, 1600)))) == 2
    assert told.add(_words((1040, 1290), (1310, 1500))) == []


def test_what_was_added_is_new_and_what_lies_between_is_not() -> None:
    told = FirstWords()
    told.add(_words((1000, 1300), (2000, 2300)))
    assert told.add(_words((1000, 1300), (1500, 1700), (2000, 2300))) == []
    assert [word.start_ms for word in told.add(_words((1000, 1300), (2400, 2600)))] == [2400]


def test_places_may_come_in_any_order() -> None:
    told = FirstWords()
    told.add(_words((5000, 5400)))
    told.add(_words((1000, 1400)))
    assert len(told.add(_words((3000, 3400)))) == 1
    assert told.add(_words((1100, 1300), (3100, 3300), (5100, 5300))) == []

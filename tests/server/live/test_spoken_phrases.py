"""Where a plain phrase is said, whatever its case, punctuation, encoding or script."""

from __future__ import annotations

import pytest
from meetra.v1 import live_pb2 as pb

from server.live.spoken_phrases import Phrase, PhraseFinder, tokens_of


def spoken(
    text: str, start_ms: int = 0, *, state: pb.LiveTurnState.ValueType = pb.LIVE_TURN_STATE_STABLE
) -> pb.LiveTurn:
    """A turn with half a second a word."""
    words = [
        pb.LiveWord(text=word, start_ms=start_ms + 500 * place, end_ms=start_ms + 500 * place + 400)
        for place, word in enumerate(text.split(" "))
    ]
    return pb.LiveTurn(
        segment_id=1 + start_ms, start_ms=start_ms, end_ms=words[-1].end_ms, words=words, state=state, speaker_id="a"
    )


def found(phrase: str, *turns: pb.LiveTurn, final_ms: int = 0) -> list[tuple[int, int, bool]]:
    finder = PhraseFinder([Phrase(0, phrase, tokens_of(phrase))])
    return [(one.start_ms, one.end_ms, one.final) for one in finder.find(turns, final_ms)]


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("budget", "the BUDGET, please"),
        ("The budget", "the budget."),
        ("follow up", "a follow-up"),
        ("follow-up", "a follow up"),
        ("don’t", "I don't know"),
        ("café", "cafe\u0301 now"),
        ("STRASSE", "die Straße"),
        ("１２３", "123 or"),
        ("予算", "来 年 の 予 算 は"),
        ("予算", "来年の予算は、"),
        ("हिन्दी", "यह हिन्दी है"),
        ("c++", "C and more"),
    ],
    ids=[
        *("case", "punctuation", "hyphen said", "hyphen given", "apostrophe", "combining", "sharp s", "full width"),
        *("characters", "characters in words", "vowel signs", "signs are no words"),
    ],
)
def test_a_phrase_is_found(phrase: str, said: str) -> None:
    assert len(found(phrase, spoken(said))) == 1


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("budget", "the budgets"),
        ("budget", "[EMAIL] budgeting"),
        ("too much", "too very much"),
        ("much too", "too much"),
        ("any.*", "anything at all"),
        ("b.dget", "budget"),
        ("email", "[EMAIL]"),
    ],
    ids=["plural", "part", "word between", "order", "pattern", "pattern with letters", "redacted"],
)
def test_other_words_are_not(phrase: str, said: str) -> None:
    assert found(phrase, spoken(said)) == []


def test_it_may_go_on_in_the_next_turn_unless_a_pause_is_between() -> None:
    assert found("far too much", spoken("is far"), spoken("too much", 2000)) == [(500, 2900, False)]
    assert found("far too much", spoken("is far"), spoken("too much", 4000)) == []
    # A phrase that takes longer than half a minute is none.
    slowly = [spoken("a", 2900 * place) for place in range(15)]
    assert found(" ".join(["a"] * 15), *slowly) == []
    assert len(found(" ".join(["a"] * 10), *slowly)) == 6


def test_it_is_final_once_all_of_its_words_are() -> None:
    turn = spoken("far too much")
    assert [found("too much", turn, final_ms=ms) for ms in (1399, 1400)] == [[(500, 1400, False)], [(500, 1400, True)]]
    final = spoken("is far", state=pb.LIVE_TURN_STATE_FINAL)
    assert found("far too", final, spoken("too much", 1000)) == [(500, 1400, False)]
    assert found("is far", final) == [(0, 900, True)]


def test_phrases_of_other_rules_remain() -> None:
    finder = PhraseFinder([Phrase(rule, text, tokens_of(text)) for rule, text in ((0, "too"), (1, "too much"))])
    assert [one.phrase.rule for one in finder.find([spoken("too much")], 0)] == [0, 1]
    assert [one.phrase.rule for one in finder.without({0}).find([spoken("too much")], 0)] == [1]

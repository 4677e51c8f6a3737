"""Sentences from words: where they end, how they are format_sentence, and which ask."""

from __future__ import annotations

import pytest

from server.conversation import Conversation, split_sentences
from server.conversation.sentences import format_sentence
from tests.server.conversation.spoken import talk


def texts(conversation: Conversation) -> list[str]:
    return [sentence.text for sentence in split_sentences(conversation)]


def test_bare_words_are_cut_at_pauses_and_spelled() -> None:
    said = talk((1, "good morning everyone | i'm daniel | what do you think"), (2, "i think so"))
    assert texts(said) == ["Good morning everyone.", "I'm Daniel.", "What do you think?", "I think so."]


def test_a_pause_after_a_word_that_cannot_end_is_no_end() -> None:
    assert texts(talk((1, "we went to the | market"))) == ["We went to the market."]


def test_a_question_that_begins_without_a_pause_is_cut_off() -> None:
    said = talk((1, "the first item is the budget how much money did we spend last month"))
    assert texts(said) == ["The first item is the budget.", "How much money did we spend last month?"]
    told = talk((1, "i would like to know how we can help you with that"))
    assert len(texts(told)) == 1


def test_a_recogniser_that_punctuates_is_believed() -> None:
    said = talk((1, "Dr. Smith came. Did he stay? No."), (2, "He left at 5 p.m. yesterday"))
    assert texts(said) == ["Dr. Smith came.", "Did he stay?", "No.", "He left at 5 p.m.", "yesterday"]
    assert [s.asks for s in split_sentences(said)] == [False, True, False, False, False]


def test_segments_of_one_speaker_are_read_together_and_of_two_apart() -> None:
    assert texts(talk((1, "we need"), (1, "a plan"), (2, "yes"))) == ["We need a plan.", "Yes."]


def test_very_long_speech_is_cut_somewhere() -> None:
    found = split_sentences(talk((1, "word " * 130)))
    assert sum(len(s.text.split()) for s in found) == 130
    assert max(len(s.text.split()) for s in found) <= 41


@pytest.mark.parametrize(
    ("bare", "sentence"),
    [
        ("i'm sure that i will", "I'm sure that I will."),
        ("see you on monday in march laura", "See you on Monday in march Laura."),
        ("it works!", "It works!"),
        ("", ""),
    ],
)
def test_spelling(bare: str, sentence: str) -> None:
    assert format_sentence(bare, asks=False) == sentence
